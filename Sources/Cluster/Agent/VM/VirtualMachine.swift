// One VM and its one owner: only this actor changes the VM's state; everything else sends it requests.
//
//   (stopped) ──start──▶ running ◀──▶ paused ──stop, end of process──▶ (stopped | failed)
//
// Every operation that takes time is an activity. There is one activity at a time. A request that comes meanwhile is
// refused with the name of the activity; requests are never queued.

package import API
import Host
import Logging
import Migration
package import Model
import Ownership
package import VMControl

package actor VirtualMachine {
    nonisolated let record: VMRecord
    nonisolated let context: HostContext
    /// This agent has known the VM since then.
    nonisolated let knownSince = Instant.now
    private(set) var activity: VMActivity?
    var ownership: VMOwnership {
        didSet { if ownership != oldValue { context.news.requestReport() } }
    }
    var guest: GuestProcess {
        didSet { if guest.hasReportableChange(since: oldValue) { context.news.requestReport() } }
    }
    /// While the VM arrives and its source is lost.
    var retainedArrival: RetainedArrival?
    /// The process was told of a longer lease and has not answered yet.
    var isExtendingLease = false

    package init(
        record: VMRecord, epoch: Epoch, status: VMMStatus, context: HostContext
    ) {
        self.record = record
        self.context = context
        ownership = VMOwnership(epoch: epoch)
        guest = GuestProcess(status: status)
    }

    nonisolated package var id: VMID { record.id }
    nonisolated package var name: VMName { record.name }
    nonisolated var files: VMFiles { context.state.filesOfVM(named: record.name) }
    var epoch: Epoch { ownership.epoch }

    // MARK: Activities

    /// Throws while another activity runs; otherwise this one runs until `endActivity`.
    func beginActivity(_ activity: VMActivity) throws(Problem) {
        if let other = self.activity {
            throw Problem(.vmBusy, detail: "VM \(name) is \(other); try again when that is over")
        }
        self.activity = activity
    }

    func endActivity() { activity = nil }

    // MARK: The process

    /// Takes over a ferry-vmm that runs, and watches it from now on.
    func attachProcess(_ process: VMProcess, status: VMMStatus) {
        guest.attachProcess(process, status: status)
        startThread(named: "exit-\(name)") { [weak self] in
            // Each wait is long, not endless. A wait fails only when the process is gone.
            while (try? process.handle.waitForExit(within: .seconds(3600))) == false {}
            let exit = process.handle.reapIfExited()
            Task { [weak self] in await self?.recordProcessEnd(of: process, status: exit) }
        }
    }

    /// The ferry-vmm has ended, by itself or on request.
    func recordProcessEnd(of process: VMProcess, status exitStatus: ExitStatus?) {
        guard guest.process === process else { return }
        let exit =
            files.readRecordedExit()
            ?? VMExit(
                reason: .processDied,
                detail: "the VM's process ended without recording a reason"
                    + (exitStatus.map { " (\($0))" } ?? ""))
        guest.recordProcessEnd(with: exit)
        context.logger.info(
            "VM ended",
            metadata: [
                "vm": "\(name)", "reason": "\(exit.reason.rawValue)", "detail": "\(exit.detail)",
            ])
    }

    /// Throws when no process runs.
    func requireProcess() throws(Problem) -> VMProcess {
        guard let process = guest.process else {
            throw Problem(
                .wrongState, detail: "VM \(name) is \(guest.status.state.rawValue); start it first")
        }
        return process
    }

    /// Throws unless the ledger lets this host run the VM.
    @discardableResult
    func requireOwnership() async throws(Problem) -> Ownership {
        let (ledger, id) = (context.ledger, id)
        let current = await runOnThread(named: "ledger") { ledger.ownership(of: id) }
        guard let current, current.mayRun else {
            throw Problem(
                .wrongState,
                detail: warningText ?? "this host does not own VM \(name), so it may not run it")
        }
        ownership.updateEpoch(to: current.epoch)
        return current
    }

    /// Runs a request to the ferry-vmm on a thread.
    func sendRequest<Value: Sendable>(
        body request: @escaping @Sendable () throws(VMMError) -> Value
    ) async throws(Problem) -> Value {
        do throws(VMMError) {
            return try await runOnThread(named: "vm-\(name)", body: request)
        } catch {
            throw Problem(error, vm: name)
        }
    }

    func resumeGuest(through client: VMMClient) async throws(Problem) {
        try await sendRequest { () throws(VMMError) in try client.resumeGuest() }
    }

    /// Asks the ferry-vmm for its status. During an activity the last answer stands.
    func refreshStatus() async {
        guard let process = guest.process, activity == nil else { return }
        let client = process.client
        do throws(VMMError) {
            let answer = try await runOnThread(named: "vm-\(name)") { () throws(VMMError) in
                try client.fetchStatus()
            }
            guest.updateStatus(to: answer, of: process)
        } catch {
            // The end of a process is noticed elsewhere; this logs a process that runs and does not answer.
            guard guest.process === process else { return }
            context.logger.warning(
                "VM does not answer", metadata: ["vm": "\(name)", "error": "\(error)"])
        }
    }

    // MARK: Reports

    package func readCurrentInfo() async -> VMInfo {
        await refreshStatus()
        return currentInfo
    }

    var warningText: String? {
        VMWarning(arrival: retainedArrival, ownership: ownership, guest: guest)?
            .warningText(at: context.name)
    }

    var currentInfo: VMInfo {
        let status = guest.status
        var info = VMInfo(
            id: id, host: context.name, state: status.state, spec: record.spec,
            epoch: epoch.number, cpuTimeMs: status.cpuTime.milliseconds)
        info.restoredFrom = record.restoredFrom
        info.processID = guest.process?.handle.processID
        info.activity = activity?.description
        info.exit = status.exit
        info.warning = warningText
        return info
    }

    /// Guest memory that is reserved for this VM and that the host has not given to it yet.
    func reservedBytes() -> UInt64 {
        record.spec.hugePages ? 0 : guest.untouchedBytes(of: record.spec.memory)
    }
}

extension Problem {
    /// The error of a request to a VM's process, as the API reports it.
    init(_ error: VMMError, vm: VMName) {
        switch error {
        case .refused(let refusal) where refusal.code == .wrongState:
            self.init(.wrongState, detail: "VM \(vm): \(refusal)")
        case .refused(let refusal) where refusal.code == .badState:
            self.init(.savedFileUnusable, detail: "VM \(vm): \(refusal)")
        case .refused(let refusal): self.init(.vmmFailed, detail: "VM \(vm): \(refusal)")
        case .connection(let error):
            self.init(.vmmFailed, detail: "the process of VM \(vm) does not answer: \(error)")
        }
    }
}
