// What an operator does to a VM. Each operation returns when it is done, or throws with the VM as it was.

package import API
import Host
import Migration
import Model
import Ownership
import VMControl

extension VirtualMachine {
    package func performAction(_ action: VMAction) async throws(Problem) -> VMInfo {
        switch action {
        case .pause: try await pauseGuest()
        case .resume: try await resumeGuest()
        case .start: try await startGuest()
        case .stop: try await stopGuest()
        case .reset: try await resetGuest()
        }
        await refreshStatus()
        return currentInfo
    }

    private func pauseGuest() async throws(Problem) {
        try beginActivity(.pausing)
        defer { endActivity() }
        let client = try requireProcess().client
        try await sendRequest { () throws(VMMError) in try client.pauseGuest() }
    }

    private func resumeGuest() async throws(Problem) {
        try beginActivity(.resuming)
        defer { endActivity() }
        let client = try requireProcess().client
        try await requireOwnership()
        try await resumeGuest(through: client)
        guest.clearResumeFailure()
    }

    private func resetGuest() async throws(Problem) {
        try beginActivity(.resetting)
        defer { endActivity() }
        let client = try requireProcess().client
        // A VM that came by migration has its kernel's path from its source. A path that does not exist here must be
        // reported before the reset, not after it.
        do throws(LaunchError) { try context.launcher.checkKernelIsUsable(for: record) } catch {
            throw Problem(error)
        }
        try await requireOwnership()
        try await sendRequest { () throws(VMMError) in try client.resetGuest() }
    }

    /// Boots a VM that is stopped.
    private func startGuest() async throws(Problem) {
        guard guest.process == nil else {
            throw Problem(
                .wrongState, detail: "VM \(name) is \(guest.status.state.rawValue) already")
        }
        guard guest.unreachableProcess == nil else {
            throw Problem(.wrongState, detail: warningText ?? "stop it first")
        }
        try beginActivity(.starting)
        defer { endActivity() }
        try await requireOwnership()
        try requireLease()
        try await launchProcess(from: .boot(record.spec.kernel), paused: isLeased)
        guest.clearResumeFailure()
        guard isLeased else { return }
        do throws(Problem) {
            try await beginLease()
            try await resumeGuest(through: requireProcess().client)
        } catch {
            await endProcess()
            throw error
        }
    }

    /// Starts the ferry-vmm and attaches it.
    func launchProcess(from start: VMStart, paused: Bool) async throws(Problem) {
        let (launcher, record, files) = (context.launcher, record, files)
        do throws(LaunchError) {
            let process = try await runOnThread(named: "start-\(name)") { () throws(LaunchError) in
                try launcher.launchProcess(for: record, files: files, start: start, paused: paused)
            }
            attachProcess(process, status: process.client.info.status)
        } catch {
            throw Problem(error)
        }
    }

    /// Ends the guest like a power cut. The VM stays and can be started again.
    private func stopGuest() async throws(Problem) {
        try beginActivity(.stopping)
        defer { endActivity() }
        guard !ownership.isUnresolved else {
            throw Problem(.wrongState, detail: warningText ?? "its owner is not known")
        }
        await endProcess()
    }

    func endProcess() async {
        if let unreachable = guest.unreachableProcess {
            await runOnThread(named: "stop-\(name)") {
                // Signalling and waiting fail only for a process that is gone.
                try? unreachable.sendSignal(9)
                _ = try? unreachable.waitForExit(within: Timing.vmmStop)
            }
            guest.clearUnreachable()
        }
        guard let process = guest.process else { return }
        await runOnThread(named: "stop-\(name)") { process.terminate() }
        recordProcessEnd(of: process, status: nil)
    }

    /// Ends the VM and removes its ledger record and its folder. Afterwards this object is of no use.
    package func deleteVM() async throws(Problem) {
        try beginActivity(.deleting)
        // The activity does not end on success: nothing may begin on a deleted VM.
        do throws(Problem) {
            // The other host would have to know of the deletion, and it cannot be notified of it.
            switch context.ledger.ownership(of: id) {
            case .released, .takenOver:
                throw Problem(.wrongState, detail: warningText ?? "its owner is not known")
            default: break
            }
            await endProcess()
            let (ledger, id, epoch, files) = (context.ledger, id, epoch, files)
            do {
                try await runOnThread(named: "delete-\(name)") {
                    // A VM without a ledger record needs no record of its end.
                    if ledger.ownership(of: id) != nil {
                        try ledger.appendRecord(.deleted(vm: id, epoch: epoch))
                    }
                    if Folder.isPresent(at: files.folder) {
                        try Folder.removeRecursively(at: files.folder)
                    }
                }
            } catch {
                throw Problem(
                    .internalError, detail: "VM \(name) is stopped, but cannot be removed: \(error)"
                )
            }
        } catch {
            endActivity()
            throw error
        }
    }

    /// Writes memory and state to a file. A running VM is paused meanwhile and resumes afterwards.
    package func saveToFile(with request: SaveVM) async throws(Problem) -> SavedVM {
        if let path = request.path { try checkAbsolutePath(path, field: "path") }
        let path = request.path ?? context.state.savedFile(of: name)
        try beginActivity(.saving)
        defer { endActivity() }
        let process = try requireProcess()
        let state = guest.status.state
        guard state == .running || state == .paused else {
            throw Problem(
                .wrongState, detail: "VM \(name) is \(state.rawValue): it cannot be saved")
        }
        do throws(SaveError) {
            return try await runOnThread(named: "save-\(name)") { () throws(SaveError) in
                try VMSaver.saveGuest(of: process, to: path)
            }
        } catch { throw Problem(error) }
    }
}
