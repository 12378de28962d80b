// A VM that leaves: what its owner does before a migration, and after each way in which one can end.

import API
import Host
import Logging
import Migration
import Model
import Ownership
import VMControl

extension VirtualMachine {
    /// The VM is busy from now on, until one of the functions below ends the activity.
    func beginMigration(to host: HostName) async throws(Problem) -> (OutgoingGuest, Epoch) {
        await refreshStatus()
        try beginActivity(.migrating(to: host))
        do throws(Problem) {
            let process = try requireProcess()
            guard guest.status.state == .running else {
                throw Problem(
                    .wrongState,
                    detail:
                        "VM \(name) is \(guest.status.state.rawValue); only a running VM migrates: resume it first"
                )
            }
            if case .takenOver(_, let host, _) = try await requireOwnership() {
                throw Problem(
                    .wrongState,
                    detail:
                        "VM \(name) runs after a forced takeover that host \(host) has not acknowledged: it can migrate when host \(host) has"
                )
            }
            let client = try await sendRequest { () throws(VMMError) in
                try process.openConnection()
            }
            return (OutgoingGuest(client: client, spec: record.spec), epoch)
        } catch {
            endActivity()
            throw error
        }
    }

    /// The migration did not begin, or was only rehearsed.
    func abandonMigration() { endActivity() }

    /// The VM runs elsewhere and the ledger says so: its process ends and its folder is removed.
    func completeHandover() async {
        let (process, files, logger) = (guest.detachProcess(), files, context.logger)
        ownership.changeCondition(to: .resolved)
        guest.recordDeparture()
        await runOnThread(named: "leave-\(name)") {
            process?.terminate()
            // A VM that only the ledger knew has no folder.
            guard Folder.isPresent(at: files.folder) else { return }
            do { try Folder.removeRecursively(at: files.folder) } catch {
                logger.warning(
                    "folder left behind",
                    metadata: ["folder": "\(files.folder)", "error": "\(error)"])
            }
        }
    }

    func recordMigrationFailure(_ failure: MigrationFailure) async {
        switch failure.aftermath {
        case .runsAtSource(let epoch):
            ownership.updateEpoch(to: epoch)
            guest.clearResumeFailure()
        case .stoppedAtSource(let epoch, let error):
            ownership.updateEpoch(to: epoch)
            guest.recordResumeFailure(.afterFailedMigration("\(error)"))
        case .unresolved(let epoch, let host):
            ownership.changeCondition(to: .unresolvedHandover(to: host), at: epoch)
        }
        endActivity()
        await refreshStatus()
    }

    /// The other host runs it, and the ledger could not be written: the copy here stays paused until it can.
    func recordUnwrittenHandover(to host: HostName, at epoch: Epoch) async {
        ownership.changeCondition(to: .unrecordedHandover(to: host), at: epoch)
        endActivity()
        await refreshStatus()
    }

    /// The other host never ran it: this host owns it again and resumes it if it can. Returns the VM's state.
    func reclaimOwnership(at epoch: Epoch) async -> VMState {
        ownership.changeCondition(to: .resolved, at: epoch)
        guest.clearResumeFailure()
        if let client = guest.process?.client {
            do throws(Problem) { try await resumeGuest(through: client) } catch {
                guest.recordResumeFailure(.afterReturn(error.detail))
            }
        } else if Folder.isPresent(at: files.folder) {
            guest.recordResumeFailure(.memoryLost(epoch))
        } else {
            markAsLost()
        }
        await refreshStatus()
        context.logger.info("VM taken back", metadata: ["vm": "\(name)", "epoch": "\(epoch)"])
        return guest.status.state
    }
}
