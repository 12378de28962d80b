// A leased VM runs only for as long as its host's lease. Its process holds the deadline; the agent passes on what the
// controllers grant.

import API
import Host
import Logging
import Model
import VMControl

extension VirtualMachine {
    nonisolated var isLeased: Bool { record.spec.isLeased }

    /// Throws for a leased VM when its host has no lease.
    func requireLease() throws(Problem) {
        guard isLeased, context.lease.until == nil else { return }
        throw Problem(
            .noLease,
            detail:
                "VM \(name) is leased, and host \(context.name) has no lease from a controller now: it can run when a controller has answered"
        )
    }

    /// Must return before the guest's first instruction on this host.
    func beginLease() async throws(Problem) {
        guard isLeased else { return }
        try requireLease()
        guard let until = context.lease.until else { return }
        let client = try requireProcess().client
        try await sendRequest { () throws(VMMError) in try client.extendLease(until: until) }
    }

    /// The host's lease is longer now. A process that does not answer delays no other VM; its guest's lease ends.
    func extendLease(until end: BootInstant) async {
        guard isLeased, !isExtendingLease, let client = guest.process?.client else { return }
        isExtendingLease = true
        defer { isExtendingLease = false }
        do throws(VMMError) {
            try await runOnThread(named: "lease-\(name)") { () throws(VMMError) in
                try client.extendLease(until: end)
            }
        } catch {
            context.logger.warning(
                "a VM's lease was not extended",
                metadata: ["vm": "\(name)", "error": "\(error)"])
        }
    }
}
