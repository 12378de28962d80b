// New VMs: from a request, or from a saved file.

package import API
import Host
import Logging
import Migration
import Model
import Ownership
import VMControl

extension VMInventory {
    /// Returns with the VM created, and running unless the request says otherwise; throws with nothing left. If an
    /// earlier request of the same id and epoch created the VM, it is returned as it is now.
    package func createVM(
        with request: CreateVM
    ) async throws(Problem) -> (info: VMInfo, isNew: Bool) {
        let spec = try request.checkedSpec(defaultCommandLine: ShippedKernel.defaultCommandLine())
        let epoch = try request.firstEpoch()
        if let id = request.id,
            let vm = try await existingVM(withID: id, named: spec.name, in: epoch)
        {
            return (await vm.readCurrentInfo(), false)
        }
        let record = VMRecord(id: request.id ?? .random(), spec: spec)
        let info = try await launchNewVM(
            from: record, at: epoch, start: .boot(record.spec.kernel),
            paused: request.paused ?? false)
        return (info, true)
    }

    /// The VM that an earlier request of this id created; nil when it can be created now.
    private func existingVM(
        withID id: VMID, named name: VMName, in epoch: Epoch
    ) async throws(Problem) -> VirtualMachine? {
        let ledger = context.ledger
        let ownership = await runOnThread(named: "ledger") { ledger.ownership(of: id) }
        if let vm = virtualMachine(withID: id) {
            if vm.name == name, ownership?.mayRun == true, ownership?.epoch == epoch { return vm }
            if case .incoming = ownership {
                throw Problem(.vmBusy, detail: "VM \(vm.name) (\(id)) is arriving now")
            }
        } else if ownership?.canBeginAgain(in: epoch) ?? true {
            return nil
        }
        let (here, standing) = (
            virtualMachine(withID: id).map { ", as \($0.name)" }, LedgerStanding(ownership)
        )
        throw Problem(
            .wrongState,
            detail:
                "VM \(id) cannot be created at epoch \(epoch): the ledger of host \(context.name) says \(standing.words)\(here ?? "")"
        )
    }

    /// A new VM, with an identity of its own, from a saved file.
    package func restoreVM(with request: RestoreVM) async throws(Problem) -> VMInfo {
        if let path = request.path { try checkAbsolutePath(path, field: "path") }
        guard let path = request.path ?? request.name.map({ context.state.savedFile(of: $0) })
        else {
            throw Problem(
                .invalid, detail: "nothing to restore: give a path, or the name of a saved VM")
        }
        var record: VMRecord
        do {
            record = try await runOnThread(named: "restore") { () throws(SaveError) in
                try VMRecord.readSaved(at: path)
            }
        } catch { throw Problem(error) }
        record.id = .random()
        record.restoredFrom = path
        if let name = request.name { record.spec.name = name }
        return try await launchNewVM(
            from: record, at: .first, start: .restore(path: path), paused: request.paused ?? false)
    }

    private func launchNewVM(
        from record: VMRecord, at epoch: Epoch, start: VMStart, paused: Bool
    ) async throws(Problem) -> VMInfo {
        try await reserveResources(for: record.spec, id: record.id)
        let vm = VirtualMachine(
            record: record, epoch: epoch, status: VMMStatus(state: .stopped), context: context)
        do throws(Problem) {
            try await vm.makeFolder()
            try await vm.startNewGuest(from: start, paused: paused)
        } catch {
            releaseReservation(of: record.name)
            throw error
        }
        registerVM(vm)
        context.logger.info(
            "VM created", metadata: ["vm": "\(record.name)", "id": "\(record.id)"])
        return await vm.readCurrentInfo()
    }
}
