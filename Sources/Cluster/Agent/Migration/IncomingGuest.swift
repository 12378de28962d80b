// An arriving VM as the destination of a migration uses it: the control socket of its ferry-vmm.

import Host
import Migration
import Model
import VMControl

final class IncomingGuest: DestinationGuest {
    let process: VMProcess

    init(_ process: VMProcess) { self.process = process }

    var layout: GuestMemoryLayout { process.client.layout }
    var memory: Mapping { process.client.memory }
    var memoryFile: Descriptor { process.client.memoryFile }

    func loadDeviceState(from bytes: [UInt8]) throws(GuestError) {
        let client = process.client
        try sendGuestRequest(operation: "load state") { () throws(VMMError) in
            try client.loadState(from: bytes)
        }
    }

    func checkIsReady() throws(GuestError) {
        let client = process.client
        var status: VMMStatus?
        try sendGuestRequest(operation: "status") { () throws(VMMError) in
            status = try client.fetchStatus()
        }
        guard status?.state == .paused, status?.isSealed == true else {
            throw GuestError(
                operation: "status",
                detail: "the guest is \(status?.state.rawValue ?? "gone"), not ready to run",
                kind: .refused)
        }
    }

    func resumeExecution() throws(GuestError) {
        let client = process.client
        try sendGuestRequest(operation: "resume") { () throws(VMMError) in try client.resumeGuest()
        }
    }

    func discardGuest() { process.terminate() }
}
