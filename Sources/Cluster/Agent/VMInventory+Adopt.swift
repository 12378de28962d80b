// An agent that starts finds its VMs again: those that have a folder, and those that only its ledger knows.
// `AdoptionDecision` decides what becomes of each; this does it.
//
// A folder whose vm.json cannot be read is left alone, and its name stays taken.

import API
import Host
import Logging
import Migration
import Model
import Ownership

extension VMInventory {
    /// Brings back every VM of the state folder and the ledger. A VM that cannot be brought back is logged and
    /// left alone: it never keeps the others away.
    package func adoptAll(settlements: Settlements) async {
        let state = context.state
        let names: [VMName]
        do {
            names = try await onThread("adopt") { () throws(SystemError) in try state.vmNames() }
        } catch {
            context.logger.error("cannot list VMs", metadata: ["error": "\(error)"])
            return
        }
        // Side by side: a ferry-vmm that does not answer holds up only its own VM.
        let found = await withTaskGroup(of: VMID?.self) { group in
            for name in names { group.addTask { await self.adopt(name, settlements) } }
            var found: Set<VMID> = []
            for await id in group { if let id { found.insert(id) } }
            return found
        }
        for (id, ownership) in context.ledger.ownerships where !found.contains(id) {
            let adoption = AdoptionDecision(vm: id, ownership: ownership, discovered: .nothing)
            await write(adoption.record)
            // Nothing is here to end, or to hold.
            if adoption.step == .endAndForget || adoption.step == .hold { continue }
            // It may be the one whose folder cannot be read: nobody shall delete it for lost. Audits tell.
            if adoption.step == .keepAsLost, !unreadable.isEmpty { continue }
            await keep(Found(onlyInLedger: id, ownership), adoption.step, settlements)
        }
    }

    /// Returns whose folder it is; nil when that cannot be read.
    private func adopt(_ name: VMName, _ settlements: Settlements) async -> VMID? {
        let context = context
        let files = context.state.files(of: name)
        let found: Found
        do throws(VMRecordError) {
            found = try await onThread("adopt-\(name)") { () throws(VMRecordError) in
                try Found(files, context.ledger)
            }
        } catch {
            if await onThread("adopt-\(name)", { files.removeUnbegun(error) }) { return nil }
            keepUnreadable(name)
            context.logger.error(
                "VM folder left alone", metadata: ["vm": "\(name)", "error": "\(error)"])
            return nil
        }
        let adoption = AdoptionDecision(
            vm: found.record.id, ownership: found.ownership, discovered: found.remains)
        await write(adoption.record)
        if adoption.step == .endAndForget {
            await onThread("forget-\(name)") { found.forget(context) }
        } else {
            await keep(found, adoption.step, settlements)
        }
        return found.record.id
    }

    private func keep(
        _ found: Found, _ step: AdoptionDecision.Step, _ settlements: Settlements
    ) async {
        let vm = VirtualMachine(
            found.record, epoch: found.ownership?.epoch ?? .first, status: found.status,
            context: context)
        await vm.adopt(found, step)
        add(vm)
        settlements.add(vm)
    }

    private func write(_ record: LedgerRecord?) async {
        guard let record else { return }
        let context = context
        await onThread("ledger") {
            do { try context.ledger.append(record) } catch {
                context.logger.error(
                    "the ledger cannot say yet that an arrival never ran here",
                    metadata: ["record": "\(record)", "error": "\(error)"])
            }
        }
    }
}

extension VMFiles {
    /// Removes the folder of an agent that ended between making it and writing vm.json: no process was ever
    /// started in it. False when it is not such a one. Blocks.
    fileprivate func removeUnbegun(_ error: VMRecordError) -> Bool {
        guard case .system(let error) = error, error.isNoEntry,
            let names = try? Folder.names(in: folder), names.allSatisfy({ $0.hasSuffix(".draft") })
        else { return false }
        return (try? Folder.remove(folder)) != nil
    }
}
