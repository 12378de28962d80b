// A VM of this host as the source of a migration uses it: its ferry-vmm's control socket, on a connection of its own.

import Host
import Migration
import Model
import VMControl

final class OutgoingGuest: SourceGuest {
    private let client: VMMClient
    let spec: VMSpec

    /// - Parameters:
    ///   - client: used by this migration only: the right to resume by itself belongs to the connection.
    ///   - spec: with what the ferry-vmm does not know, such as the source of its kernel.
    init(client: VMMClient, spec: VMSpec) {
        self.client = client
        self.spec = spec
    }

    var cpuFeatures: CPUFeatures { client.info.cpuFeatures }
    var layout: GuestMemoryLayout { client.layout }
    var memory: Mapping { client.memory }
    var memoryFile: Descriptor { client.memoryFile }
    var dirtyBits: Mapping { client.dirtyBits }

    func startDirtyLog() throws(GuestError) {
        try request("start dirty log") { () throws(VMMError) in try client.startDirtyLog() }
    }
    func fetchDirtyLog() throws(GuestError) -> Int {
        try request("fetch dirty log") { () throws(VMMError) in try client.fetchDirtyLog() }
    }
    func clearDirtyLog(pages: Range<Int>) throws(GuestError) {
        try request("clear dirty log") { () throws(VMMError) in
            try client.clearDirtyLog(pages: pages)
        }
    }
    func stopDirtyLog() throws(GuestError) {
        try request("stop dirty log") { () throws(VMMError) in try client.stopDirtyLog() }
    }
    func throttle(percent: Int) throws(GuestError) {
        try request("throttle") { () throws(VMMError) in try client.throttle(percent: percent) }
    }
    func pauseForHandover() throws(GuestError) {
        try request("pause") { () throws(VMMError) in try client.pause(forHandover: true) }
    }
    func saveState() throws(GuestError) -> [UInt8] {
        try request("save state") { () throws(VMMError) in try client.saveState() }
    }
    func seal() throws(GuestError) {
        try request("seal") { () throws(VMMError) in try client.seal() }
    }
    func resume() throws(GuestError) {
        try request("resume") { () throws(VMMError) in try client.resume() }
    }
}

/// Sends a request to a ferry-vmm; an error names the operation.
func request<Value>(
    _ operation: String, _ send: () throws(VMMError) -> Value
) throws(GuestError) -> Value {
    do { return try send() } catch {
        throw GuestError(operation: operation, detail: "\(error)", kind: GuestError.Kind(error))
    }
}

extension GuestError.Kind {
    fileprivate init(_ error: VMMError) {
        self =
            switch error {
            case .connection(.closed), .connection(.system): .died
            case .connection(.timedOut): .silent
            case .refused, .connection(.malformed), .connection(.unexpectedReply): .refused
            }
    }
}
