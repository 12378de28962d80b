// What an operator does to a VM. Each returns with it done, or throws with the VM as it was.

package import API
import Host
import Migration
import Model
import Ownership
import VMControl

extension VirtualMachine {
    package func perform(_ action: VMAction) async throws(Problem) -> VMInfo {
        switch action {
        case .pause: try await pause()
        case .resume: try await resume()
        case .start: try await start()
        case .stop: try await stop()
        case .reset: try await reset()
        }
        await refresh()
        return currentInfo
    }

    private func pause() async throws(Problem) {
        try begin("pausing")
        defer { activity = nil }
        let client = try live().client
        try await control { () throws(VMMError) in try client.pause() }
    }

    private func resume() async throws(Problem) {
        try begin("resuming")
        defer { activity = nil }
        let client = try live().client
        try await requireOwnership()
        try await control { () throws(VMMError) in try client.resume() }
    }

    private func reset() async throws(Problem) {
        try begin("being reset")
        defer { activity = nil }
        let client = try live().client
        // A VM that came by migration has its kernel's path from there: better asked now than after the reset.
        do throws(LaunchError) { try context.launcher.checkBoot(record) } catch {
            throw Problem(error)
        }
        try await requireOwnership()
        try await control { () throws(VMMError) in try client.reset() }
    }

    /// Boots a VM that is stopped.
    private func start() async throws(Problem) {
        guard process == nil else {
            throw Problem(.wrongState, "VM \(name) is \(status.state.rawValue) already")
        }
        guard silentProcess == nil else { throw Problem(.wrongState, warning ?? "stop it first") }
        try begin("starting")
        defer { activity = nil }
        try await requireOwnership()
        try requireLease()
        try await launch(.boot(record.spec.kernel), paused: isLeased)
        warning = nil
        guard isLeased else { return }
        do throws(Problem) {
            try await beginLease()
            let client = try live().client
            try await control { () throws(VMMError) in try client.resume() }
        } catch {
            await end()
            throw error
        }
    }

    /// Starts the ferry-vmm and takes it over.
    func launch(_ birth: Birth, paused: Bool) async throws(Problem) {
        let (launcher, record, files) = (context.launcher, record, files)
        do throws(LaunchError) {
            let process = try await onThread("start-\(name)") { () throws(LaunchError) in
                try launcher.start(record, files: files, birth: birth, paused: paused)
            }
            take(process, process.client.info.status)
        } catch {
            throw Problem(error)
        }
    }

    /// Ends the guest as if its power was cut. The VM stays, and can be started again.
    private func stop() async throws(Problem) {
        try begin("stopping")
        defer { activity = nil }
        guard !isUnsettled else { throw Problem(.wrongState, warning ?? "its owner is not known") }
        await end()
    }

    func end() async {
        if let silent = silentProcess {
            await onThread("stop-\(name)") {
                // Killing and waiting fail only for a process that is gone.
                try? silent.signal(9)
                _ = try? silent.waitForExit(within: Limits.vmmStop)
            }
            (silentProcess, warning) = (nil, nil)
        }
        guard let process else { return }
        await onThread("stop-\(name)") { process.end() }
        processEnded(process, nil)
    }

    /// Ends the VM, forgets it and removes its folder. Afterwards this object is of no use.
    package func delete() async throws(Problem) {
        try begin("being deleted")
        // Not set back on success: nothing may begin on a VM that is gone.
        do throws(Problem) {
            // Its end would have to be told to the other host, which cannot be told anything now.
            switch context.ledger.ownership(of: id) {
            case .released, .takenOver:
                throw Problem(.wrongState, warning ?? "its owner is not known")
            default: break
            }
            await end()
            let (ledger, id, epoch, files) = (context.ledger, id, epoch, files)
            do {
                try await onThread("delete-\(name)") {
                    // One that the ledger never knew has no life there to end.
                    if ledger.ownership(of: id) != nil {
                        try ledger.append(.deleted(vm: id, epoch: epoch))
                    }
                    if Folder.isThere(files.folder) { try Folder.remove(files.folder) }
                }
            } catch {
                throw Problem(
                    .internalError, "VM \(name) is stopped, but cannot be removed: \(error)")
            }
        } catch {
            activity = nil
            throw error
        }
    }

    /// Writes memory and state to a file. A running VM stands still meanwhile and runs on afterwards.
    package func save(_ request: SaveVM) async throws(Problem) -> SavedVM {
        if let path = request.path { try checkPath(path, field: "path") }
        let path = request.path ?? context.state.saved(name)
        try begin("being saved")
        defer { activity = nil }
        let process = try live()
        guard status.state == .running || status.state == .paused else {
            throw Problem(.wrongState, "VM \(name) is \(status.state.rawValue): it cannot be saved")
        }
        do throws(SaveError) {
            return try await onThread("save-\(name)") { () throws(SaveError) in
                try SavedFile.write(process, to: path)
            }
        } catch { throw Problem(error) }
    }
}
