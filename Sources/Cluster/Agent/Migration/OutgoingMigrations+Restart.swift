// Migrations that an earlier agent started and did not see end.

import API
import Host
import Logging
import Migration
import Model
import Ownership

extension OutgoingMigrations {
    /// Reads the history of earlier agents and records how their unfinished migrations ended. Call once, when the VMs
    /// have been found again.
    package func loadHistory() async {
        await history.loadStoredMigrations()
        for info in await history.newestFirst() where info.report?.audit.state == .running {
            await history.updateMigration(withID: info.id) { $0.report?.audit.state = .unfinished }
        }
        for info in await history.newestFirst() where !info.isOver {
            let vm = await inventory.virtualMachine(withID: info.vmID)
            let state = await vm?.readCurrentInfo().state
            let ownership = context.ledger.ownership(of: info.vmID)
            await history.updateMigration(withID: info.id) {
                $0.finishAfterRestart(currentOwnership: ownership, localState: state)
            }
            guard let failure = await history.migrationInfo(withID: info.id)?.failure else {
                continue
            }
            context.logger.warning(
                "a migration ended with the agent before",
                metadata: [
                    "vm": "\(info.vm)", "migration": "\(info.id)", "code": "\(failure.code)",
                    "failure": "\(failure.message)",
                ])
        }
    }
}

extension MigrationInfo {
    /// - Parameter vmState: of the VM on this host; nil when it is not here.
    fileprivate mutating func finishAfterRestart(
        currentOwnership ownership: Ownership?, localState vmState: VMState?
    ) {
        let aftermath: String
        var phase: MigrationPhase?
        switch ownership {
        case .handedOver(_, destination, id):
            state = .succeeded
            return
        case .released(let epoch, let host, id):
            aftermath = "\(MigrationFailure.Aftermath.unresolved(epoch, with: host))"
            phase = .handover
        case .owned(let epoch, _):
            aftermath =
                vmState == .running
                ? "the VM runs where it was"
                : "the VM is where it was, at epoch \(epoch), and is \(vmState?.rawValue ?? "lost")"
        default: aftermath = "the VM is not on this host any more"
        }
        state = .failed
        failure = FailureInfo(
            code: .agentRestarted, phase: phase, reason: "the source's agent ended meanwhile",
            aftermath: aftermath, vmIsRunning: vmState == .running)
    }

    mutating func cancelAtShutdown() {
        state = .cancelled
        failure = FailureInfo(
            code: .cancelled, phase: .connect, reason: "the source's agent shuts down",
            aftermath: "the VM runs where it was", vmIsRunning: true)
    }
}
