// Migrations away from this host: started, watched, cancelled.

package import API
import ClusterFile
import FoundationEssentials
import Host
import Logging
import Migration
package import Model
import Ownership
package import PeerLink
import VMControl

package actor Migrations {
    private let inventory: VMInventory
    private let history: MigrationHistory
    private let settlements: Settlements
    private let keys: PeerKeys
    /// Those that run: each holds its guest's memory and a connection to its process.
    private var sources: [MigrationID: SourceMigration] = [:]
    /// Those that are over, and whose memory is looked at once more.
    private var audits: [MigrationID: SourceMigration] = [:]
    /// Between the look at the limit and the entry above.
    private var starting = 0
    private var startingIDs: Set<MigrationID> = []
    private var isAccepting = true
    /// Wakes those who wait for the end of all.
    private var waiters: [CheckedContinuation<Void, Never>] = []

    package init(
        inventory: VMInventory, history: MigrationHistory, settlements: Settlements, keys: PeerKeys
    ) {
        self.inventory = inventory
        self.history = history
        self.settlements = settlements
        self.keys = keys
    }

    private var context: HostContext { inventory.context }

    /// One that an earlier request of the same id started is returned as it is by now.
    package func start(
        _ request: StartMigration
    ) async throws(Problem) -> (info: MigrationInfo, isNew: Bool) {
        let id = request.id ?? .random()
        guard startingIDs.insert(id).inserted else {
            throw Problem(.vmBusy, "migration \(id) is just being started")
        }
        defer { startingIDs.remove(id) }
        if let info = await history.info(id) {
            guard info.vm == request.vm, info.destination == request.to else {
                throw Problem(
                    .invalid,
                    "migration \(id) is that of VM \(info.vm) to host \(info.destination)")
            }
            return (current(info), false)
        }
        return (try await start(request, as: id), true)
    }

    private func start(
        _ request: StartMigration, as id: MigrationID
    ) async throws(Problem) -> MigrationInfo {
        guard isAccepting else { throw Problem(.shuttingDown, "the agent is shutting down") }
        let count = sources.count + starting
        guard count < Limits.outgoingMigrationsMax else {
            throw Problem(
                .vmBusy, "host \(context.name) runs \(count) migrations already, its limit")
        }
        starting += 1
        defer {
            starting -= 1
            wakeWaiters()
        }
        let destination = try await destination(request)
        let vm = try await inventory.vm(named: request.vm)
        let streams = try request.checkedStreams(usual: MigrationOptions().streams)
        let (guest, epoch) = try await vm.beginMigration(to: request.to)
        do throws(Problem) {
            let limit = try request.checkedDowntimeLimit(usual: guest.spec.downtimeLimit)
            let options = MigrationOptions(
                streams: streams, compression: request.compression ?? .auto, downtimeLimit: limit,
                timing: context.timing, isRehearsal: request.rehearse ?? false,
                audits: request.audit ?? true)
            let info = MigrationInfo(
                id: id, vm: vm.name, vmID: vm.id, source: context.name,
                destination: request.to,
                startedAtMs: Int64(Date.now.timeIntervalSince1970 * 1000), state: .running)
            await history.add(info)
            // The agent may have begun to shut down meanwhile.
            guard isAccepting else {
                await history.update(info.id) { $0.cancelAtShutdown() }
                throw Problem(.shuttingDown, "the agent is shutting down")
            }
            let migration = SourceMigration(
                id: info.id, vm: vm.id, epoch: epoch, guest: guest, to: destination, keys: keys,
                ledger: context.ledger, options: options)
            sources[info.id] = migration
            run(migration, of: vm)
            return info
        } catch {
            await vm.abandonMigration()
            throw error
        }
    }

    private func destination(_ request: StartMigration) async throws(Problem) -> PeerAddress {
        let name = request.to
        guard name != context.name else {
            throw Problem(.invalid, "the VM is on host \(name) already")
        }
        if let text = request.peerAddress {
            guard let address = SocketAddress(text) else {
                throw Problem(
                    .invalid, "peerAddress is '\(text.prefix(80))': use IP:PORT")
            }
            let peers = context.peers
            do throws(SystemError) {
                try await onThread("peers") { () throws(SystemError) in
                    try peers.learn(name, at: address)
                }
            } catch { throw Problem(.internalError, "\(error)") }
            return PeerAddress(name: name, address: address)
        }
        guard let address = context.peers.addresses(of: name).first else {
            let names = context.cluster.hosts.map(\.name.text).joined(separator: ", ")
            throw Problem(
                .hostUnknown,
                "cluster \(context.cluster.cluster) has no host \(name); it has \(names)")
        }
        return PeerAddress(name: name, address: address)
    }

    private func run(_ migration: SourceMigration, of vm: VirtualMachine) {
        context.logger.info(
            "migration out", metadata: ["vm": "\(vm.name)", "migration": "\(migration.id)"])
        startThread("mig-\(vm.name)") {
            let result: Result<MigrationReport, MigrationFailure>
            do throws(MigrationFailure) { result = .success(try migration.run()) } catch {
                result = .failure(error)
            }
            let progress = ProgressInfo(migration.progress)
            waiting { await self.ended(migration, vm, result, progress) }
            guard case .success(let report) = result, report.audit.state == .running else { return }
            let audit = migration.audit()
            waiting { await self.audited(migration.id, vm, audit) }
        }
    }

    private func ended(
        _ migration: SourceMigration, _ vm: VirtualMachine,
        _ result: Result<MigrationReport, MigrationFailure>, _ progress: ProgressInfo
    ) async {
        let id = migration.id
        // First the VM, then the news: who reads that it is over finds the VM as it says.
        switch result {
        case .success(let report) where report.rehearsal != nil: await vm.abandonMigration()
        case .success(let report):
            await leave(vm, report.audit.state == .running ? migration : nil)
        case .failure(let failure): await vm.migrationFailed(failure)
        }
        await history.update(id) {
            $0.progress = progress
            $0.finish(with: result)
        }
        sources[id] = nil
        await log(id, result)
        settlements.add(vm)
        wakeWaiters()
    }

    /// The VM runs elsewhere. Nothing of it stays here, unless the ledger could not take that: then its copy stands
    /// still until the ledger can.
    /// - Parameter audited: what looks at its memory first.
    private func leave(_ vm: VirtualMachine, _ audited: SourceMigration?) async {
        guard case .released(let epoch, let host, _) = context.ledger.ownership(of: vm.id) else {
            if let audited {
                audits[audited.id] = audited
                await inventory.beginLeaving(vm) { audited.stopAudit() }
                if !isAccepting { audited.stopAudit() }
            } else {
                await vm.handedOver()
                await inventory.remove(vm)
            }
            return
        }
        await vm.becomeUnrecorded(epoch, with: host)
    }

    /// Its memory was looked at once more; now it goes, whatever was found. The VM has run on elsewhere since, so
    /// that nothing that is kept here could be put back into it; what people need is to know, and which pages.
    private func audited(_ id: MigrationID, _ vm: VirtualMachine, _ audit: MemoryAudit) async {
        if audits[id] != nil {
            await vm.handedOver()
            await inventory.endLeaving(vm)
        }
        await history.update(id) { $0.report?.audit = AuditInfo(audit) }
        log(id, vm, audit)
        audits[id] = nil
        wakeWaiters()
    }

    private func log(_ id: MigrationID, _ vm: VirtualMachine, _ audit: MemoryAudit) {
        var facts: Logger.Metadata = [
            "vm": "\(vm.name)", "migration": "\(id)", "state": "\(audit.state.rawValue)",
            "pages": "\(audit.pages)", "durationMs": "\(audit.duration.milliseconds)",
        ]
        guard audit.state == .differs else {
            return context.logger.info("memory audit ended", metadata: facts)
        }
        facts["code"] = "memory_audit_differs"
        facts["differing"] = "\(audit.differing)"
        facts["differingPages"] = "\(audit.differingPages.map(String.init).joined(separator: " "))"
        context.logger.error(
            "pages changed after they were last sent: the destination runs the VM with old copies of them",
            metadata: facts)
    }

    private func log(
        _ id: MigrationID, _ result: Result<MigrationReport, MigrationFailure>
    ) async {
        switch result {
        case .success(let report):
            context.logger.info(
                "migration out ended",
                metadata: [
                    "migration": "\(id)", "totalMs": "\(report.total.milliseconds)",
                    "downtimeMs": "\(report.downtime.milliseconds)",
                    "wireBytes": "\(report.wireBytes)",
                ])
        case .failure(let failure):
            let told = FailureInfo(failure)
            context.logger.warning(
                "migration out failed",
                metadata: [
                    "migration": "\(id)", "code": "\(told.code)",
                    "phase": "\(failure.phase.rawValue)", "failure": "\(told.message)",
                ])
        }
    }

    /// With the progress of this moment, while it runs.
    private func current(_ info: MigrationInfo) -> MigrationInfo {
        var info = info
        if let source = sources[info.id] { info.progress = ProgressInfo(source.progress) }
        return info
    }

    package func info(_ id: MigrationID) async throws(Problem) -> MigrationInfo {
        guard let info = await history.info(id) else {
            throw Problem(
                .migrationNotFound,
                "host \(context.name) knows no migration \(id); ask the host it started from")
        }
        return current(info)
    }

    /// Newest first.
    package func list() async -> MigrationList {
        MigrationList(migrations: await history.list().map { current($0) })
    }

    /// Those that run, with their progress, and those that ended since `reported`; and which news these are.
    func report() async -> ([MigrationInfo], news: [MigrationID: UInt64]) {
        let (running, over) = await history.report()
        let news = over.map { ($0.0.id, $0.change) }
        return (
            running.map { current($0) } + over.map(\.0),
            Dictionary(news, uniquingKeysWith: { first, _ in first })
        )
    }

    /// A controller has heard of them.
    func reported(_ news: [MigrationID: UInt64]) async { await history.reported(news) }

    package func cancel(_ id: MigrationID) async throws(Problem) -> MigrationInfo {
        let info = try await info(id)
        do throws(CancelRefusal) {
            guard let source = sources[id] else { throw .ended }
            try source.cancel()
        } catch {
            throw Problem(.tooLateToCancel, "\(error)")
        }
        return info
    }

    /// Starts none any more, cancels those that still can be, and returns when all have ended.
    package func finishAll() async {
        isAccepting = false
        for source in sources.values {
            // One that is past its handover is waited for instead.
            try? source.cancel()
        }
        for audited in audits.values { audited.stopAudit() }
        guard !sources.isEmpty || !audits.isEmpty || starting > 0 else { return }
        await withCheckedContinuation { waiters.append($0) }
    }

    private func wakeWaiters() {
        guard sources.isEmpty, audits.isEmpty, starting == 0 else { return }
        for waiter in waiters { waiter.resume() }
        waiters = []
    }
}

// MARK: Those of an earlier agent

extension Migrations {
    /// Reads what an earlier agent remembered, and says how those ended that it did not see end. Call once, when
    /// the VMs have been found again.
    package func recall() async {
        await history.load()
        for info in await history.list() where info.report?.audit.state == .running {
            await history.update(info.id) { $0.report?.audit.state = .unfinished }
        }
        for info in await history.list() where !info.isOver {
            let vm = await inventory.vm(withID: info.vmID)
            let state = await vm?.info().state
            let ownership = context.ledger.ownership(of: info.vmID)
            await history.update(info.id) { $0.cutShort(ownership, state) }
            guard let failure = await history.info(info.id)?.failure else { continue }
            context.logger.warning(
                "a migration ended with the agent before",
                metadata: [
                    "vm": "\(info.vm)", "migration": "\(info.id)", "code": "\(failure.code)",
                    "failure": "\(failure.message)",
                ])
        }
    }
}

extension MigrationInfo {
    /// - Parameter vmState: of the VM on this host; nil when it is not here.
    fileprivate mutating func cutShort(_ ownership: Ownership?, _ vmState: VMState?) {
        let aftermath: String
        var phase: MigrationPhase?
        switch ownership {
        case .handedOver(_, destination, id):
            state = .succeeded
            return
        case .released(let epoch, let host, id):
            aftermath = "\(MigrationFailure.Aftermath.unsettled(epoch, with: host))"
            phase = .handover
        case .owned(let epoch, _):
            aftermath =
                vmState == .running
                ? "the VM runs where it was"
                : "the VM is where it was, at epoch \(epoch), and is \(vmState?.rawValue ?? "lost")"
        default: aftermath = "the VM is not on this host any more"
        }
        state = .failed
        failure = FailureInfo(
            code: .agentRestarted, phase: phase, reason: "the source's agent ended meanwhile",
            aftermath: aftermath, vmIsRunning: vmState == .running)
    }

    fileprivate mutating func cancelAtShutdown() {
        state = .cancelled
        failure = FailureInfo(
            code: .cancelled, phase: .connect, reason: "the source's agent shuts down",
            aftermath: "the VM runs where it was", vmIsRunning: true)
    }
}
