// A new VM: its folder, its process, its ledger record, its first instruction, in that order.

import API
import Host
import Logging
import Migration
import Model
import Ownership
import VMControl

extension VirtualMachine {
    /// Makes the VM's folder with its vm.json. Throws with nothing left.
    func makeFolder() async throws(Problem) {
        let (record, files) = (record, files)
        if await runOnThread(named: "create-\(name)", body: { files.isInUse }) {
            throw Problem(
                .nameTaken,
                detail:
                    "a process that this agent does not know runs in \(files.folder); end it first")
        }
        do {
            try await runOnThread(named: "create-\(name)") {
                // A folder that belongs to no VM of the inventory is what an earlier agent could not remove.
                if Folder.isPresent(at: files.folder) {
                    try Folder.removeRecursively(at: files.folder)
                }
                try Folder.createFolder(at: files.folder, mode: 0o700)
                try record.writeRecord(to: files)
                // If a power failure lost the folder, the ledger would own a VM of which nothing exists.
                try Folder.flushToDisk(at: Folder.parentFolder(ofPath: files.folder))
            }
        } catch {
            // The error above is the one to report.
            try? Folder.removeRecursively(at: files.folder)
            throw Problem(
                .internalError, detail: "the folder of VM \(name) cannot be made: \(error)")
        }
    }

    /// Starts the process paused, records that this host owns the VM, and lets it run. With this order, a file that
    /// is no kernel leaves nothing in the ledger, and no guest runs without a ledger record.
    func startNewGuest(from start: VMStart, paused: Bool) async throws(Problem) {
        try beginActivity(.starting)
        defer { endActivity() }
        do throws(Problem) {
            try requireLease()
            try await launchProcess(from: start, paused: true)
            try await beginLease()
            try await recordFirstOwnership()
            if !paused, let client = guest.process?.client {
                try await resumeGuest(through: client)
            }
        } catch {
            await discardVM(forgetting: epoch)
            throw error
        }
    }

    private func recordFirstOwnership() async throws(Problem) {
        let (ledger, id, epoch) = (context.ledger, id, epoch)
        do throws(LedgerError) {
            try await runOnThread(named: "ledger") { () throws(LedgerError) in
                let current = ledger.ownership(of: id)
                for record in LedgerRecord.beginning(of: id, in: epoch, after: current) {
                    try ledger.appendRecord(record)
                }
            }
        } catch { throw Problem(.internalError, detail: "\(error)") }
    }

    /// Ends the process, removes the folder and, if the ledger says that this host owns the VM, records its end.
    func discardVM(forgetting epoch: Epoch) async {
        let (process, files, context, id) = (guest.detachProcess(), files, context, id)
        await runOnThread(named: "discard-\(name)") {
            process?.killAndReap()
            do {
                if context.ledger.ownership(of: id)?.mayRun == true {
                    try context.ledger.appendRecord(.deleted(vm: id, epoch: epoch))
                }
                try Folder.removeRecursively(at: files.folder)
            } catch {
                context.logger.warning(
                    "a VM that did not start left something behind",
                    metadata: ["folder": "\(files.folder)", "error": "\(error)"])
            }
        }
    }
}
