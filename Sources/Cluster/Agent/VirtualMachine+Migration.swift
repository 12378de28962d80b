// A VM that leaves: what its owner does before, and after each way in which a migration can end.

import API
import Host
import Logging
import Migration
import Model
import Ownership
import VMControl

extension VirtualMachine {
    /// From now on it is busy, until one of the functions below.
    func beginMigration(to host: HostName) async throws(Problem) -> (OutgoingGuest, Epoch) {
        await refresh()
        try begin("migrating to \(host)")
        do throws(Problem) {
            let process = try live()
            guard status.state == .running else {
                throw Problem(
                    .wrongState,
                    "VM \(name) is \(status.state.rawValue); only a running VM migrates: resume it first"
                )
            }
            if case .takenOver(_, let host, _) = try await requireOwnership() {
                throw Problem(
                    .wrongState,
                    "VM \(name) runs by a ruling that host \(host) has not heard of: it can move when that is settled"
                )
            }
            let client = try await control { () throws(VMMError) in try process.anotherClient() }
            return (OutgoingGuest(client, spec: record.spec), epoch)
        } catch {
            activity = nil
            throw error
        }
    }

    /// The migration never began, or was only rehearsed.
    func abandonMigration() { activity = nil }

    /// The VM runs elsewhere and the ledger says so: nothing of it stays here.
    func handedOver() async {
        let (process, files, logger) = (process, files, context.logger)
        self.process = nil
        isUnsettled = false
        status = VMMStatus(
            state: .stopped, exit: VMExit(reason: .migrated, detail: "it runs on another host now"))
        await onThread("leave-\(name)") {
            process?.end()
            // A VM that only the ledger knew has none.
            guard Folder.isThere(files.folder) else { return }
            do { try Folder.remove(files.folder) } catch {
                logger.warning(
                    "folder left behind",
                    metadata: ["folder": "\(files.folder)", "error": "\(error)"])
            }
        }
    }

    func migrationFailed(_ failure: MigrationFailure) async {
        switch failure.aftermath {
        case .runsAtSource(let epoch):
            self.epoch = epoch
            warning = nil
        case .stoppedAtSource(let epoch, let error):
            self.epoch = epoch
            warning = "a migration failed and the VM would not resume (\(error)): resume or stop it"
        case .unsettled(let epoch, let host): becomeUnsettled(epoch, with: host)
        }
        activity = nil
        await refresh()
    }

    func becomeUnsettled(_ epoch: Epoch, with host: HostName) {
        self.epoch = epoch
        isUnsettled = true
        warning =
            "released to host \(host) at epoch \(epoch), which has not said whether the VM runs there: it runs nowhere until it has; this host keeps asking"
    }

    /// The other host runs it, and the ledger could not be written: what is here stands still until it can.
    func becomeUnrecorded(_ epoch: Epoch, with host: HostName) async {
        self.epoch = epoch
        isUnsettled = true
        warning =
            "it runs on host \(host) at epoch \(epoch), and the ledger of host \(context.name) cannot be written to say so: what is here goes when it can"
        activity = nil
        await refresh()
    }

    /// The other host never ran it: it is this host's again, and runs again if it still can. Returns its state.
    func takenBack(_ epoch: Epoch) async -> VMState {
        self.epoch = epoch
        isUnsettled = false
        warning = nil
        if let client = process?.client {
            do throws(Problem) {
                try await control { () throws(VMMError) in try client.resume() }
            } catch {
                warning = "taken back, but it would not resume: \(error.detail)"
            }
        } else if Folder.isThere(files.folder) {
            warning =
                "taken back at epoch \(epoch), but its process was gone by then and its memory with it: start boots it again"
        } else {
            isLost()
        }
        await refresh()
        context.logger.info("VM taken back", metadata: ["vm": "\(name)", "epoch": "\(epoch)"])
        return status.state
    }
}
