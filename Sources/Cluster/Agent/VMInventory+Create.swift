// How new VMs come to be: from a request, or from a saved file.

package import API
import Host
import Logging
import Migration
import Model
import Ownership
import VMControl

extension VMInventory {
    /// Returns with the VM there, and running unless asked otherwise; throws with nothing left of it. One that an
    /// earlier request of the same id and epoch made is returned as it is by now.
    package func create(
        _ request: CreateVM
    ) async throws(Problem) -> (info: VMInfo, isNew: Bool) {
        let spec = try request.checkedSpec(defaultCommandLine: ShippedKernel.commandLine())
        let epoch = try request.firstEpoch()
        if let id = request.id, let vm = try await made(id, as: spec.name, in: epoch) {
            return (await vm.info(), false)
        }
        let record = VMRecord(id: request.id ?? .random(), spec: spec)
        let info = try await make(
            record, epoch, birth: .boot(record.spec.kernel), paused: request.paused ?? false)
        return (info, true)
    }

    /// The VM that an earlier request of this id made; nil when it can be made now.
    private func made(
        _ id: VMID, as name: VMName, in epoch: Epoch
    ) async throws(Problem) -> VirtualMachine? {
        let ledger = context.ledger
        let ownership = await onThread("ledger") { ledger.ownership(of: id) }
        if let vm = vm(withID: id) {
            if vm.name == name, ownership?.mayRun == true, ownership?.epoch == epoch { return vm }
            if case .incoming = ownership {
                throw Problem(.vmBusy, "VM \(vm.name) (\(id)) is just arriving")
            }
        } else if ownership?.mayBegin(in: epoch) ?? true {
            return nil
        }
        let (here, standing) = (vm(withID: id).map { ", as \($0.name)" }, LedgerStanding(ownership))
        throw Problem(
            .wrongState,
            "VM \(id) cannot be created at epoch \(epoch): the ledger of host \(context.name) says \(standing.words)\(here ?? "")"
        )
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
        if let name = request.name { record.spec.name = name }
        return try await make(
            record, .first, birth: .restore(path: path), paused: request.paused ?? false)
    }

    private func make(
        _ record: VMRecord, _ epoch: Epoch, birth: Birth, paused: Bool
    ) async throws(Problem) -> VMInfo {
        try await reserve(record.spec, id: record.id)
        let vm = VirtualMachine(
            record, epoch: epoch, status: VMMStatus(state: .stopped), context: context)
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
            try requireLease()
            try await launch(birth, paused: true)
            try await beginLease()
            let (ledger, id, epoch) = (context.ledger, id, epoch)
            do throws(LedgerError) {
                try await onThread("ledger") { () throws(LedgerError) in
                    let current = ledger.ownership(of: id)
                    for record in LedgerRecord.beginning(of: id, in: epoch, after: current) {
                        try ledger.append(record)
                    }
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
