// What exists of a VM when an agent starts: its folder, its process, its ledger record.

import Glibc
import Host
import Logging
import Migration
import Model
import Ownership
import VMControl

struct DiscoveredVM: Sendable {
    enum Process: Sendable {
        case none
        case attached(VMProcess)
        /// A process exists and does not answer. Its number is nil when it is gone by now.
        case unreachable(ProcessHandle?, reason: String)
    }

    let record: VMRecord
    /// Nil when only the ledger knows the VM.
    let files: VMFiles?
    let ownership: Ownership?
    let process: Process
    let status: VMMStatus

    /// Blocks.
    init(in files: VMFiles, ledger: any OwnershipLedger) throws(VMRecordError) {
        self.files = files
        record = try VMRecord(loading: files)
        ownership = ledger.ownership(of: record.id)
        // A ferry-vmm writes its exit just before it ends: a process that still answers is about to end.
        if let exit = files.readRecordedExit() {
            process = .none
            status = VMMStatus(state: exit.stateLeft, exit: exit)
            return
        }
        do throws(AttachError) {
            let attached = try VMProcess(attachingTo: files, expecting: record.id)
            process = .attached(attached)
            status = attached.client.info.status
        } catch {
            process =
                error.meansNoProcess
                ? .none
                : .unreachable(Self.findListener(at: files.controlSocket), reason: "\(error)")
            status = Self.deadProcessStatus(
                detail: "the VM's process was gone when the agent started")
        }
    }

    /// A VM of which only the ledger record exists.
    init(onlyInLedger id: VMID, ownership: Ownership) {
        record = VMRecord(lost: id)
        files = nil
        self.ownership = ownership
        process = .none
        status = Self.deadProcessStatus(detail: "its folder was gone when the agent started")
    }

    private static func deadProcessStatus(detail: String) -> VMMStatus {
        let exit = VMExit(reason: .processDied, detail: detail)
        return VMMStatus(state: exit.stateLeft, exit: exit)
    }

    /// The process that listens at a socket; nil when none does by now.
    private static func findListener(at path: String) -> ProcessHandle? {
        guard let socket = try? UnixSocket.openConnection(to: path),
            let peer = try? UnixSocket.peerCredentials(of: socket)
        else { return nil }
        return try? ProcessHandle(peer.pid)
    }

    var remains: DiscoveredState {
        guard files != nil else { return .nothing }
        return switch process {
        case .none: .folder
        case .attached: DiscoveredState(status)
        case .unreachable: .silent
        }
    }

    /// Ends the process and removes the folder. Blocks.
    func endAndRemove(in context: HostContext) {
        switch process {
        case .none: break
        case .attached(let process): process.killAndReap()
        case .unreachable(let handle, _):
            // It may have ended by itself meanwhile.
            try? handle?.sendSignal(9)
            _ = try? handle?.waitForExit(within: Timing.vmmStop)
        }
        guard let files else { return }
        if files.isInUse {
            context.logger.error(
                "folder kept: a process runs in it", metadata: ["folder": "\(files.folder)"])
            return
        }
        do { try Folder.removeRecursively(at: files.folder) } catch {
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
    /// From the status that a ferry-vmm reports of its guest.
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
    var isInUse: Bool { (try? UnixSocket.openConnection(to: controlSocket)) != nil }
}
