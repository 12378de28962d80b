// What there is of a VM when an agent starts: its folder, its process, its place in the ledger.

import Glibc
import Host
import Logging
import Migration
import Model
import Ownership
import VMControl

struct Found: Sendable {
    let record: VMRecord
    let files: VMFiles?
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
            status = Self.died("the VM's process was gone when the agent started")
        }
    }

    /// A VM of which nothing but the ledger's word is here.
    init(onlyInLedger id: VMID, _ ownership: Ownership) {
        record = VMRecord(lost: id)
        files = nil
        self.ownership = ownership
        (process, attachProblem, silentProcess) = (nil, nil, nil)
        status = Self.died("its folder was gone when the agent started")
    }

    private static func died(_ detail: String) -> VMMStatus {
        let exit = VMExit(reason: .processDied, detail: detail)
        return VMMStatus(state: exit.stateLeft, exit: exit)
    }

    /// The process that listens at a socket; nil when there is none by now.
    private static func listener(at path: String) -> ProcessHandle? {
        guard let socket = try? UnixSocket.connect(to: path),
            let peer = try? UnixSocket.peer(of: socket)
        else { return nil }
        return try? ProcessHandle(peer.pid)
    }

    var remains: DiscoveredState {
        guard files != nil else { return .nothing }
        guard process != nil else { return attachProblem == nil ? .folder : .silent }
        return DiscoveredState(status)
    }

    /// Ends the process and removes the folder. Blocks.
    func forget(_ context: HostContext) {
        process?.kill()
        // It may have ended by itself meanwhile.
        try? silentProcess?.signal(9)
        _ = try? silentProcess?.waitForExit(within: Limits.vmmStop)
        guard let files else { return }
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

extension DiscoveredState {
    /// What a ferry-vmm that answers says of its guest.
    init(_ status: VMMStatus) {
        self =
            switch status.state {
            case .incoming: .incoming
            case .running: .running
            case .paused: .paused(isSealed: status.isSealed)
            case .stopped, .failed: .folder
            }
    }
}

extension VMFiles {
    /// A ferry-vmm listens in this folder. Blocks.
    var isInUse: Bool { (try? UnixSocket.connect(to: controlSocket)) != nil }
}
