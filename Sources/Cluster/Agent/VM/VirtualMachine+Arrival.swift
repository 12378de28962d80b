// A VM that arrives: what its owner does when a migration to this host begins, loses its source, and ends.

import API
import FoundationEssentials
import Host
import Migration
import MigrationProtocol
import Model
import Ownership

extension VirtualMachine {
    /// Starts the process that receives the VM. Throws with nothing left.
    func beginArrival(from source: HostName) async throws(Problem) -> VMProcess {
        try beginActivity(.arriving(from: source))
        // If this throws, the folder that exists is not this VM's and must not be discarded.
        try await makeFolder()
        do throws(Problem) {
            try await launchProcess(from: .incoming(record.spec.kernel), paused: true)
            try await beginLease()
            return try requireProcess()
        } catch {
            await discardVM(forgetting: epoch)
            throw error
        }
    }

    /// What arrived is retained until the source comes back, the time is over, or an operator deletes the VM.
    func retainArrival(
        from source: HostName, for limit: Duration, discard: @escaping @Sendable () -> Bool
    ) {
        retainedArrival = RetainedArrival(
            source: source, end: Date(timeIntervalSinceNow: limit.seconds), discard: discard)
    }

    func continueArrival(at epoch: Epoch) {
        ownership.updateEpoch(to: epoch)
        retainedArrival = nil
    }

    /// Deletes a VM that waits for its source. Returns false when the VM does not wait.
    func deleteRetainedArrival() async -> Bool {
        guard let retainedArrival else { return false }
        return await runOnThread(named: "discard-\(name)", body: retainedArrival.discard)
    }

    /// This host owns the VM from now on.
    /// - Parameter refusal: why the guest does not run.
    func completeArrival(at epoch: Epoch, refusal: MigrationRefusal? = nil) async {
        retainedArrival = nil
        ownership.updateEpoch(to: epoch)
        if let refusal { guest.recordResumeFailure(.afterArrival("\(refusal)")) }
        endActivity()
        await refreshStatus()
    }

    /// The migration failed: the process ends and the folder is removed.
    func removeArrival() async { await discardVM(forgetting: epoch) }
}
