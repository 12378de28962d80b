// One VM and its one owner: this actor alone changes its state; all else sends it requests.
//
//   (stopped) ──start──▶ running ◀──▶ paused ──stop, end of process──▶ (stopped | failed)
//
// Whatever takes a while is an activity. There is one at a time; a request that comes meanwhile is refused with
// its name, never queued behind it.

package import API
import Host
import Logging
import Migration
import MigrationProtocol
package import Model
import Ownership
package import VMControl

package actor VirtualMachine {
    nonisolated package let id: VMID
    nonisolated package let name: VMName
    nonisolated let files: VMFiles
    nonisolated let context: HostContext
    /// This agent has known it since then.
    nonisolated let since = Instant.now
    var record: VMRecord
    /// Of the ownership in the ledger.
    var epoch: Epoch { didSet { if epoch != oldValue { context.news.ring() } } }
    /// Nil while no ferry-vmm runs.
    var process: VMProcess?
    var status: VMMStatus {
        didSet {
            if (status.state, status.exit) != (oldValue.state, oldValue.exit) {
                context.news.ring()
            }
        }
    }
    /// A ferry-vmm of this VM that was found and does not answer: no other is started beside it.
    var silentProcess: ProcessHandle?
    /// What keeps it busy.
    var activity: String?
    var warning: String?
    /// Its process has been told of a longer lease and has not answered yet.
    var isExtendingLease = false
    /// Throws away what arrived before the source was lost; false when the source is back.
    var discardKept: (@Sendable () -> Bool)?
    /// Released to another host that has not said yet whether it runs the VM: nothing may run it here.
    var isUnsettled = false { didSet { if isUnsettled != oldValue { context.news.ring() } } }

    package init(
        _ record: VMRecord, epoch: Epoch, status: VMMStatus, context: HostContext
    ) {
        id = record.id
        name = record.name
        files = context.state.files(of: record.name)
        self.context = context
        self.record = record
        self.epoch = epoch
        self.status = status
    }

    /// Takes over a ferry-vmm that runs, and watches it from now on.
    func take(_ process: VMProcess, _ status: VMMStatus) {
        self.process = process
        self.status = status
        startThread("exit-\(name)") { [weak self] in
            // Each wait is long, not endless; a failed wait means that there is nothing left to wait for.
            while (try? process.handle.waitForExit(within: .seconds(3600))) == false {}
            let exit = process.handle.reap()
            Task { [weak self] in await self?.processEnded(process, exit) }
        }
    }

    /// The ferry-vmm is gone, by itself or because it was asked to.
    func processEnded(_ ended: VMProcess, _ exitStatus: ExitStatus?) {
        guard process === ended else { return }
        process = nil
        let exit =
            files.readExit()
            ?? VMExit(
                reason: .processDied,
                detail: "the VM's process ended without a word"
                    + (exitStatus.map { " (\($0))" } ?? ""))
        status = VMMStatus(state: exit.stateLeft, cpuTime: status.cpuTime, exit: exit)
        context.logger.info(
            "VM ended",
            metadata: [
                "vm": "\(name)", "reason": "\(exit.reason.rawValue)", "detail": "\(exit.detail)",
            ])
    }

    /// Throws when something else is going on; otherwise it is this from now on. Ends with `activity = nil`.
    func begin(_ activity: String) throws(Problem) {
        if let other = self.activity {
            throw Problem(.vmBusy, "VM \(name) is \(other); try again when that is over")
        }
        self.activity = activity
    }

    /// The process, when there is one.
    func live() throws(Problem) -> VMProcess {
        guard let process else {
            throw Problem(
                .wrongState, "VM \(name) is \(status.state.rawValue); start it first")
        }
        return process
    }

    /// Throws unless the ledger lets this host run the VM.
    @discardableResult
    func requireOwnership() async throws(Problem) -> Ownership {
        let (ledger, id) = (context.ledger, id)
        guard let ownership = await onThread("ledger", { ledger.ownership(of: id) }),
            ownership.mayRun
        else {
            throw Problem(
                .wrongState,
                warning ?? "this host does not own VM \(name), so it may not run it")
        }
        epoch = ownership.epoch
        return ownership
    }

    /// Runs a request to the ferry-vmm on a thread.
    func control<Value: Sendable>(
        _ body: @escaping @Sendable () throws(VMMError) -> Value
    ) async throws(Problem) -> Value {
        do throws(VMMError) { return try await onThread("vm-\(name)", body) } catch {
            throw Problem(error, vm: name)
        }
    }

    /// Asks the ferry-vmm how it is. During an activity the last answer stands.
    func refresh() async {
        guard let process, activity == nil else { return }
        let client = process.client
        do throws(VMMError) {
            let answer = try await onThread("vm-\(name)") { () throws(VMMError) in
                try client.status()
            }
            guard self.process === process else { return }
            status = answer
        } catch {
            // Its end is noticed by its process; a vmm that is alive and silent is worth a word.
            guard self.process === process else { return }
            context.logger.warning(
                "VM does not answer", metadata: ["vm": "\(name)", "error": "\(error)"])
        }
    }

    package func info() async -> VMInfo {
        await refresh()
        return currentInfo
    }

    var currentInfo: VMInfo {
        var info = VMInfo(
            id: id, host: context.name, state: status.state, spec: record.spec,
            epoch: epoch.number, cpuTimeMs: status.cpuTime.milliseconds)
        info.restoredFrom = record.restoredFrom
        info.processID = process?.handle.processID
        info.activity = activity
        info.exit = status.exit
        info.warning = warning
        return info
    }

    /// Guest memory that was promised and is not taken up yet.
    func promisedBytes() -> UInt64 {
        guard let process, !record.spec.hugePages else { return 0 }
        // A file that cannot be asked counts as all promised.
        let taken = (try? process.client.memoryFile.allocatedBytes()) ?? 0
        let bytes = record.spec.memory.bytes
        return bytes - min(bytes, UInt64(taken))
    }
}

extension VMExit {
    /// The state of a VM that ended like this.
    var stateLeft: VMState {
        switch reason {
        case .powerOff, .stopped, .migrated: .stopped
        case .tripleFault, .emulationFailure, .hostFailure, .processDied, .leaseExpired: .failed
        }
    }
}

extension Problem {
    /// What a VM's process said, as the API says it.
    init(_ error: VMMError, vm: VMName) {
        switch error {
        case .refused(let refusal) where refusal.code == .wrongState:
            self.init(.wrongState, "VM \(vm): \(refusal)")
        case .refused(let refusal) where refusal.code == .badState:
            self.init(.savedFileUnusable, "VM \(vm): \(refusal)")
        case .refused(let refusal): self.init(.vmmFailed, "VM \(vm): \(refusal)")
        case .connection(let error):
            self.init(.vmmFailed, "the process of VM \(vm) does not answer: \(error)")
        }
    }

    init(_ error: LaunchError) {
        switch error {
        case .noFile, .kernelUnknown, .kernelRefused: self.init(.kernelUnusable, "\(error)")
        case .ended, .attach, .timedOut, .system: self.init(.vmmFailed, "\(error)")
        }
    }
}
