// An agent that starts finds its VMs again. What the ledger says decides what happens to each:
//
//   ledger                    ferry-vmm lives                  ferry-vmm is gone
//   owned                     adopted; a lost handover resumed  stopped or failed
//   released                  adopted, still; the other is asked  the same
//   incoming                  ended; "never ran" written        the same
//   nothing, never ran,       ended, folder removed             folder removed
//   handed over, deleted
//
// A folder whose vm.json cannot be read is left alone, and its name stays taken.

import API
import Glibc
import Host
import Logging
import Migration
import MigrationProtocol
import Model
import VMControl

extension VMInventory {
    /// Brings back every VM of the state folder. A VM that cannot be brought back is logged and left alone:
    /// it never keeps the others away.
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
        await withDiscardingTaskGroup { group in
            for name in names { group.addTask { await self.adopt(name, settlements) } }
        }
        await disownArrivals()
    }

    private func adopt(_ name: VMName, _ settlements: Settlements) async {
        let context = context
        let files = context.state.files(of: name)
        let found: Result<Found, VMRecordError> = await onThread("adopt-\(name)") {
            do throws(VMRecordError) { return .success(try Found(files, context.ledger)) } catch {
                return .failure(error)
            }
        }
        switch found {
        case .failure(let error):
            if await onThread("adopt-\(name)", { files.removeUnbegun(error) }) { return }
            keepUnreadable(name)
            context.logger.error(
                "VM folder left alone", metadata: ["vm": "\(name)", "error": "\(error)"])
        case .success(let found):
            guard let epoch = found.epochToKeep else {
                await onThread("forget-\(name)") { found.forget(context) }
                return
            }
            let vm = VirtualMachine(
                found.record, epoch: epoch, status: found.status, context: context)
            await vm.adopt(found)
            add(vm)
            if case .released(_, let host, _) = found.ownership { settlements.add(vm, with: host) }
        }
    }

    /// What was arriving when the agent ended will not run here: that is written down, so that its source
    /// gets an answer.
    private func disownArrivals() async {
        let context = context
        await onThread("ledger") {
            for (id, ownership) in context.ledger.ownerships {
                guard case .incoming(let epoch, _, let migration) = ownership else { continue }
                do {
                    try context.ledger.append(.neverRan(vm: id, epoch: epoch, migration: migration))
                } catch {
                    context.logger.error("ledger", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}

/// What there is of a VM when an agent starts.
struct Found: Sendable {
    let record: VMRecord
    let files: VMFiles
    let ownership: Ownership?
    let process: VMProcess?
    /// A process is there and cannot be talked to: why, and which.
    let attachProblem: String?
    let silentProcess: ProcessHandle?
    let status: VMMStatus

    /// Blocks.
    init(_ files: VMFiles, _ ledger: any OwnershipLedger) throws(VMRecordError) {
        self.files = files
        record = try VMRecord(loading: files)
        ownership = ledger.ownership(of: record.id)
        // A ferry-vmm writes its exit just before it ends: what may still answer is gone in a moment.
        if let exit = files.readExit() {
            (process, attachProblem, silentProcess) = (nil, nil, nil)
            status = VMMStatus(state: exit.stateLeft, exit: exit)
            return
        }
        do throws(AttachError) {
            let process = try VMProcess(attachingTo: files, expecting: record.id)
            self.process = process
            status = process.client.info.status
            (attachProblem, silentProcess) = (nil, nil)
        } catch {
            process = nil
            attachProblem = error.meansNoProcess ? nil : "\(error)"
            silentProcess = error.meansNoProcess ? nil : Self.listener(at: files.controlSocket)
            let exit = VMExit(
                reason: .processDied, detail: "the VM's process was gone when the agent started")
            status = VMMStatus(state: exit.stateLeft, exit: exit)
        }
    }

    /// The process that listens at a socket; nil when there is none by now.
    private static func listener(at path: String) -> ProcessHandle? {
        guard let socket = try? UnixSocket.connect(to: path),
            let peer = try? UnixSocket.peer(of: socket)
        else { return nil }
        return try? ProcessHandle(peer.pid)
    }

    /// The VM stays on this host in this epoch; nil when it does not.
    var epochToKeep: Epoch? {
        switch ownership {
        case .owned(let epoch, _), .released(let epoch, _, _), .ruled(let epoch, _, _),
            .overruled(let epoch, _):
            epoch
        case .handedOver, .incoming, .neverRan, .deleted, nil: nil
        }
    }

    /// Ends the process and removes the folder. Blocks.
    func forget(_ context: HostContext) {
        process?.kill()
        // It may have ended by itself meanwhile.
        try? silentProcess?.signal(9)
        _ = try? silentProcess?.waitForExit(within: Limits.vmmStop)
        if files.isInUse {
            context.logger.error(
                "folder kept: a process runs in it", metadata: ["folder": "\(files.folder)"])
            return
        }
        do { try Folder.remove(files.folder) } catch {
            context.logger.warning("folder left behind", metadata: ["error": "\(error)"])
        }
        context.logger.info(
            "VM not kept",
            metadata: [
                "vm": "\(record.name)", "ledger": "\(ownership.map { "\($0)" } ?? "nothing")",
            ])
    }
}

extension VMFiles {
    /// A ferry-vmm listens in this folder. Blocks.
    var isInUse: Bool { (try? UnixSocket.connect(to: controlSocket)) != nil }

    /// Removes the folder of an agent that ended between making it and writing vm.json: no process was ever
    /// started in it. False when it is not such a one. Blocks.
    fileprivate func removeUnbegun(_ error: VMRecordError) -> Bool {
        guard case .system(let error) = error, error.code == ENOENT,
            let names = try? Folder.names(in: folder), names.allSatisfy({ $0.hasSuffix(".draft") })
        else { return false }
        return (try? Folder.remove(folder)) != nil
    }
}

extension VirtualMachine {
    /// Takes over what was found, and lets a VM run that a lost handover left standing.
    func adopt(_ found: Found) async {
        silentProcess = found.silentProcess
        warning = found.attachProblem.map {
            "its process cannot be reached (\($0)): stop it, then start it again"
        }
        if let process = found.process { take(process, found.status) }
        if case .released(let epoch, let host, _) = found.ownership {
            becomeUnsettled(epoch, with: host)
        } else if found.status.state == .paused, found.status.isSealed,
            let client = process?.client
        {
            // Sealed, and this host owns it: whoever sealed it is gone, and nobody else may resume it.
            do throws(Problem) {
                try await control { () throws(VMMError) in try client.resume() }
            } catch { warning = error.detail }
        }
        await refresh()
        context.logger.info(
            "VM found again",
            metadata: ["vm": "\(name)", "state": "\(status.state.rawValue)", "epoch": "\(epoch)"])
    }
}
