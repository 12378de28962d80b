// A VM that runs only for as long as its host's lease: its process has the deadline, this passes on what the host's
// controllers grant.

import API
import Host
import Logging
import Model
import VMControl

extension VirtualMachine {
    var isLeased: Bool { record.spec.isLeased }

    /// Throws for a leased VM when its host has no lease that it could begin with.
    func requireLease() throws(Problem) {
        guard isLeased, context.lease.until == nil else { return }
        throw Problem(
            .noLease,
            "VM \(name) is leased, and host \(context.name) has no lease of a controller now: it can run when a controller has answered"
        )
    }

    /// Before the guest's first instruction on this host.
    func beginLease() async throws(Problem) {
        guard isLeased else { return }
        try requireLease()
        guard let until = context.lease.until else { return }
        let client = try live().client
        try await control { () throws(VMMError) in try client.lease(until: until) }
    }

    /// The host's lease is longer now. A process that does not answer holds up nobody: its guest's lease ends.
    func extendLease(until end: BootInstant) async {
        guard isLeased, !isExtendingLease, let client = process?.client else { return }
        isExtendingLease = true
        defer { isExtendingLease = false }
        do throws(VMMError) {
            try await onThread("lease-\(name)") { () throws(VMMError) in
                try client.lease(until: end)
            }
        } catch {
            context.logger.warning(
                "a VM's lease was not made longer",
                metadata: ["vm": "\(name)", "error": "\(error)"])
        }
    }
}
