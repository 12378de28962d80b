// A guest that may run only for as long as its host's lease: made longer by its agent, ended by a thread of its own.

package import Host
import Model
import Synchronization
package import VMControl

extension Machine {
    /// Returns with the guest allowed to run until then, at least; throws with its lease as it was.
    package func extendLease(until end: BootInstant) throws(VMMRefusal) {
        guard lease.isNeeded else {
            throw VMMRefusal(code: .wrongState, detail: "the VM is not leased")
        }
        guard end <= .now + Limits.leaseMax else {
            throw VMMRefusal(
                code: .badRequest, detail: "a lease may be \(Limits.leaseMax) from now, at most")
        }
        guard lease.extendDeadline(to: end) == .done else {
            throw VMMRefusal(code: .wrongState, detail: "the VM's lease has ended")
        }
        // A vCPU may have come to the gate at the last moment of the lease before.
        gate.recheckEntry()
        try watchLease()
    }

    func requireLease() throws(VMMRefusal) {
        guard !lease.allowsRunning else { return }
        throw VMMRefusal(
            code: .wrongState,
            detail: lease.hasEnded
                ? "the VM's lease has ended" : "the VM is leased, and has no lease yet")
    }

    private func watchLease() throws(VMMRefusal) {
        guard !isLeaseWatched.exchange(true, ordering: .acquiringAndReleasing) else { return }
        do throws(SystemError) {
            // Not a strong reference: a machine that nobody holds must be able to go.
            let thread = try NamedThread(name: "lease") { [weak self, lease] in
                lease.waitForEnd { self != nil }
                self?.handleLeaseExpiry()
            }
            thread.detachThread()
        } catch {
            isLeaseWatched.store(false, ordering: .releasing)
            throw makeRefusal(for: error)
        }
    }
}
