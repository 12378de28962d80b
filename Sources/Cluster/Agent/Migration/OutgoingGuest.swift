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
        try sendGuestRequest(operation: "start dirty log") { () throws(VMMError) in
            try client.startDirtyLog()
        }
    }
    func fetchDirtyLog() throws(GuestError) -> Int {
        try sendGuestRequest(operation: "fetch dirty log") { () throws(VMMError) in
            try client.fetchDirtyLog()
        }
    }
    func clearDirtyLog(pages: Range<Int>) throws(GuestError) {
        try sendGuestRequest(operation: "clear dirty log") { () throws(VMMError) in
            try client.clearDirtyLog(pages: pages)
        }
    }
    func stopDirtyLog() throws(GuestError) {
        try sendGuestRequest(operation: "stop dirty log") { () throws(VMMError) in
            try client.stopDirtyLog()
        }
    }
    func throttleVCPUs(percent: Int) throws(GuestError) {
        try sendGuestRequest(operation: "throttle") { () throws(VMMError) in
            try client.throttleVCPUs(percent: percent)
        }
    }
    func pauseForHandover() throws(GuestError) {
        try sendGuestRequest(operation: "pause") { () throws(VMMError) in
            try client.pauseGuest(forHandover: true)
        }
    }
    func saveState() throws(GuestError) -> [UInt8] {
        try sendGuestRequest(operation: "save state") { () throws(VMMError) in
            try client.saveState()
        }
    }
    func sealForHandover() throws(GuestError) {
        try sendGuestRequest(operation: "seal") { () throws(VMMError) in try client.sealHandover() }
    }
    func resumeExecution() throws(GuestError) {
        try sendGuestRequest(operation: "resume") { () throws(VMMError) in try client.resumeGuest()
        }
    }
}

/// Sends a request to a ferry-vmm; an error names the operation.
func sendGuestRequest<Value>(
    operation: String, send: () throws(VMMError) -> Value
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
