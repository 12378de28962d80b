// An agent that starts finds its VMs again: those that have a folder, and those that only its ledger knows.
// `Adoption` decides what becomes of each; this file does it.
//
// A folder whose vm.json cannot be read stays as it is, and its name stays taken.

import API
import Host
import Logging
import Migration
import Model
import Ownership

extension VMInventory {
    /// Brings back every VM of the state folder and the ledger. A VM that cannot be brought back is logged and
    /// left as it is; the others are adopted.
    package func adoptExistingVMs(resolver: HandoverResolver) async {
        let state = context.state
        let names: [VMName]
        do {
            names = try await runOnThread(named: "adopt") { () throws(SystemError) in
                try state.listVMNames()
            }
        } catch {
            context.logger.error("cannot list VMs", metadata: ["error": "\(error)"])
            return
        }
        // Side by side: a ferry-vmm that does not answer delays only its own VM.
        let found = await withTaskGroup(of: VMID?.self) { group in
            for name in names {
                group.addTask { await self.adoptFolder(of: name, resolver: resolver) }
            }
            var found: Set<VMID> = []
            for await id in group { if let id { found.insert(id) } }
            return found
        }
        await adoptLedgerRecords(except: found, resolver: resolver)
    }

    private func adoptLedgerRecords(
        except found: Set<VMID>, resolver: HandoverResolver
    ) async {
        for (id, ownership) in context.ledger.ownerships where !found.contains(id) {
            let adoption = AdoptionDecision(vm: id, ownership: ownership, discovered: .nothing)
            await appendToLedger(adoption.record)
            // Nothing exists here that could be ended or paused.
            if adoption.step == .endAndForget || adoption.step == .hold { continue }
            // It may be the VM whose folder cannot be read; as a lost VM, it could be deleted. The consistency check
            // reports it.
            if adoption.step == .keepAsLost, hasUnreadableFolders { continue }
            await adoptVM(
                from: DiscoveredVM(onlyInLedger: id, ownership: ownership), decision: adoption.step,
                resolver: resolver)
        }
    }

    /// Returns the VM whose folder it is; nil when that cannot be read.
    private func adoptFolder(of name: VMName, resolver: HandoverResolver) async -> VMID? {
        let context = context
        let files = context.state.filesOfVM(named: name)
        let discovered: DiscoveredVM
        do throws(VMRecordError) {
            discovered = try await runOnThread(named: "adopt-\(name)") { () throws(VMRecordError) in
                try DiscoveredVM(in: files, ledger: context.ledger)
            }
        } catch {
            if await runOnThread(
                named: "adopt-\(name)", body: { files.removeUnbegunFolder(after: error) })
            {
                return nil
            }
            markFolderUnreadable(of: name)
            context.logger.error(
                "VM folder left alone", metadata: ["vm": "\(name)", "error": "\(error)"])
            return nil
        }
        let adoption = AdoptionDecision(
            vm: discovered.record.id, ownership: discovered.ownership,
            discovered: discovered.remains)
        await appendToLedger(adoption.record)
        if adoption.step == .endAndForget {
            await runOnThread(named: "forget-\(name)") { discovered.endAndRemove(in: context) }
        } else {
            await adoptVM(from: discovered, decision: adoption.step, resolver: resolver)
        }
        return discovered.record.id
    }

    private func adoptVM(
        from discovered: DiscoveredVM, decision step: AdoptionDecision.Step,
        resolver: HandoverResolver
    ) async {
        let vm = VirtualMachine(
            record: discovered.record, epoch: discovered.ownership?.epoch ?? .first,
            status: discovered.status, context: context)
        await vm.adoptRemains(of: discovered, decision: step)
        registerVM(vm)
        resolver.resolveHandover(of: vm)
    }

    private func appendToLedger(_ record: LedgerRecord?) async {
        guard let record else { return }
        let context = context
        await runOnThread(named: "ledger") {
            do { try context.ledger.appendRecord(record) } catch {
                context.logger.error(
                    "the ledger cannot record yet that an arrived VM never ran here",
                    metadata: ["record": "\(record)", "error": "\(error)"])
            }
        }
    }
}

extension VMFiles {
    /// Removes the folder of an agent that ended between making it and writing vm.json: no process was ever
    /// started in it. Returns false for any other folder. Blocks.
    fileprivate func removeUnbegunFolder(after error: VMRecordError) -> Bool {
        guard case .system(let error) = error, error.isNoEntry,
            let names = try? Folder.entryNames(at: folder),
            names.allSatisfy({ $0.hasSuffix(".draft") })
        else { return false }
        return (try? Folder.removeRecursively(at: folder)) != nil
    }
}
