// How new VMs come to be: from a request, or from a saved file.

package import API
import Host
import Logging
import Migration
import MigrationProtocol
import Model
import VMControl

extension VMInventory {
    /// Returns with the VM there, and running unless asked otherwise; throws with nothing left of it.
    package func create(_ request: CreateVM) async throws(Problem) -> VMInfo {
        let spec = try request.spec(defaultCommandLine: ShippedKernel.commandLine())
        let record = VMRecord(id: .random(), spec: spec)
        return try await make(
            record, birth: .boot(record.kernel), paused: request.paused ?? false)
    }

    /// A new VM, with an identity of its own, from what another was saved to.
    package func restore(_ request: RestoreVM) async throws(Problem) -> VMInfo {
        if let path = request.path { try checkPath(path, field: "path") }
        guard let path = request.path ?? request.name.map({ context.state.saved($0) }) else {
            throw Problem(.invalid, "say what to restore: give a path, or the name of a saved VM")
        }
        var record: VMRecord
        do {
            record = try await onThread("restore") { () throws(SaveError) in
                try SavedFile.record(of: path)
            }
        } catch { throw Problem(error) }
        record.id = .random()
        record.restoredFrom = path
        if let name = request.name { record.name = name }
        return try await make(
            record, birth: .restore(path: path), paused: request.paused ?? false)
    }

    private func make(
        _ record: VMRecord, birth: Birth, paused: Bool
    ) async throws(Problem) -> VMInfo {
        try await reserve(record.spec, id: record.id)
        let vm = VirtualMachine(
            record, epoch: .first, status: VMMStatus(state: .stopped), context: context)
        do throws(Problem) {
            try await vm.makeFolder()
            try await vm.bringToLife(birth, paused: paused)
        } catch {
            release(record.name)
            throw error
        }
        add(vm)
        context.logger.info(
            "VM created", metadata: ["vm": "\(record.name)", "id": "\(record.id)"])
        return await vm.info()
    }
}

extension VirtualMachine {
    /// Makes the VM's folder with its vm.json. Throws with nothing left.
    func makeFolder() async throws(Problem) {
        let (record, files) = (record, files)
        if await onThread("create-\(name)", { files.isInUse }) {
            throw Problem(
                .nameTaken,
                "a process that this agent does not know runs in \(files.folder); end it first")
        }
        do {
            try await onThread("create-\(name)") {
                // A folder that no VM of the inventory has is what an earlier agent could not remove.
                if Folder.isThere(files.folder) { try Folder.remove(files.folder) }
                try Folder.make(files.folder, mode: 0o700)
                try record.write(to: files)
                // A folder that is lost with the power would leave the ledger with a VM of which nothing is there.
                try Folder.flushToDisk(Folder.holding(files.folder))
            }
        } catch {
            // The error above is the one to tell.
            try? Folder.remove(files.folder)
            throw Problem(.internalError, "the folder of VM \(name) cannot be made: \(error)")
        }
    }

    /// Starts the process paused, writes down that this host owns the VM, and lets it run. In this order: a
    /// kernel that is no kernel leaves nothing in the ledger, and no guest runs that the ledger does not know.
    func bringToLife(_ birth: Birth, paused: Bool) async throws(Problem) {
        try begin("starting")
        defer { activity = nil }
        do throws(Problem) {
            try await launch(birth, paused: true)
            let (ledger, id, epoch) = (context.ledger, id, epoch)
            do throws(LedgerError) {
                try await onThread("ledger") { () throws(LedgerError) in
                    try ledger.append(.owned(vm: id, epoch: epoch, migration: nil))
                }
            } catch { throw Problem(.internalError, "\(error)") }
            if !paused, let client = process?.client {
                try await control { () throws(VMMError) in try client.resume() }
            }
        } catch {
            await discard(forgetting: epoch)
            throw error
        }
    }

    /// Ends the process, removes the folder and, where the ledger says that this host owns it, ends that too.
    func discard(forgetting epoch: Epoch) async {
        let (process, files, context, id) = (process, files, context, id)
        self.process = nil
        await onThread("discard-\(name)") {
            process?.kill()
            do {
                if context.ledger.ownership(of: id)?.mayRun == true {
                    try context.ledger.append(.deleted(vm: id, epoch: epoch))
                }
                try Folder.remove(files.folder)
            } catch {
                context.logger.warning(
                    "a VM that did not start left something behind",
                    metadata: ["folder": "\(files.folder)", "error": "\(error)"])
            }
        }
    }
}
