// What agents do when they are commanded, and how migrations go.

import API
import ClusterCore
import Model

extension World {
    func perform(_ command: AgentCommand, term: UInt64) -> CommandResult {
        guard var host = hosts[command.host] else { return .unanswered("no such host") }
        guard term >= host.term else { return .refused(Problem(.staleTerm, detail: "")) }
        host.term = term
        hosts[command.host] = host
        switch command.order {
        case .create(let request): return create(request, on: command.host)
        case .perform(let action, let name): return perform(action, name, on: command.host)
        case .delete(let name, let id): return delete(name, id, on: command.host)
        case .migrate(let request): return migrate(request, from: command.host)
        case .cancelMigration(let id): return cancel(id, on: command.host)
        case .askMigration(let id):
            guard let info = hosts[command.host]?.migrations[id] else {
                return .refused(Problem(.migrationNotFound, detail: ""))
            }
            return .migration(info)
        case .recover(let request, let name): return recover(request, name, on: command.host)
        }
    }

    private func create(_ request: CreateVM, on host: HostName) -> CommandResult {
        guard var sim = hosts[host], let id = request.id, let epoch = request.epoch else {
            return .refused(Problem(.invalid, detail: "no id or epoch"))
        }
        if let copy = sim.copies[id] {
            return copy.epoch == epoch
                ? .vm(sim.info(copy)) : .refused(Problem(.nameTaken, detail: "it is here already"))
        }
        guard !sim.copies.values.contains(where: { $0.name == request.spec.name }) else {
            return .refused(Problem(.nameTaken, detail: "another VM has that name"))
        }
        guard epoch > sim.epochs[id] ?? 0, !sim.refusesCreation else {
            return .refused(Problem(.invalid, detail: "it cannot be made here"))
        }
        let isLeased = request.spec.isLeased
        // A leased VM does not begin without a lease.
        guard !isLeased || sim.leaseEnd > now || plant == .leasesDoNotEnd else {
            return .refused(Problem(.shuttingDown, detail: "the host has no lease"))
        }
        let copy = SimCopy(
            id: id, name: request.spec.name, epoch: epoch, ownership: .owned, state: .running,
            isLeased: isLeased, memoryBytes: request.spec.memory.bytes, vcpus: request.spec.vcpus)
        sim.set(copy)
        hosts[host] = sim
        return .vm(sim.info(copy))
    }

    private func perform(
        _ action: VMAction, _ name: VMName, on host: HostName
    ) -> CommandResult {
        guard let sim = hosts[host], var copy = sim.copies.values.first(where: { $0.name == name })
        else { return .refused(Problem(.vmNotFound, detail: "")) }
        guard copy.ownership == .owned || copy.ownership == .takenOver else {
            return .refused(Problem(.wrongState, detail: "it is not this host's"))
        }
        guard copy.migration.flatMap({ sim.migrations[$0] })?.isOver ?? true else {
            return .refused(Problem(.vmBusy, detail: "it is migrating"))
        }
        switch action {
        case .start:
            guard copy.state == .stopped || copy.state == .failed else {
                return .refused(Problem(.wrongState, detail: "it runs"))
            }
            guard !copy.isLeased || sim.leaseEnd > now else {
                return .refused(Problem(.wrongState, detail: "the host has no lease"))
            }
            copy.state = .running
            copy.exit = nil
        case .stop:
            copy.state = .stopped
            copy.exit = VMExit(reason: .stopped, detail: "")
        case .pause, .resume, .reset: break
        }
        hosts[host]?.set(copy)
        return .vm(sim.info(copy))
    }

    private func delete(_ name: VMName, _ id: VMID, on host: HostName) -> CommandResult {
        guard let copy = hosts[host]?.copies[id], copy.name == name else {
            return .refused(Problem(.vmNotFound, detail: ""))
        }
        if plant == .deletionsAreLost { return .done }
        guard copy.ownership != .released,
            copy.migration.flatMap({ hosts[host]?.migrations[$0] })?.isOver ?? true
        else { return .refused(Problem(.vmBusy, detail: "")) }
        hosts[host]?.copies[id] = nil
        return .done
    }

    /// The other host is told when both can talk.
    private func recover(_ request: RecoverVM, _ name: VMName, on host: HostName) -> CommandResult {
        guard var copy = hosts[host]?.copies.values.first(where: { $0.name == name }),
            copy.ownership == .released, copy.epoch == request.epoch, let peer = copy.peer
        else { return .refused(Problem(.ledgerMovedOn, detail: "")) }
        copy.epoch += 1
        copy.ownership = .takenOver
        copy.state = copy.isDead ? .failed : .running
        hosts[host]?.set(copy)
        let (id, epoch) = (copy.id, copy.epoch)
        notify(peer, id, epoch, from: host)
        return .done
    }

    private func notify(_ peer: HostName, _ id: VMID, _ epoch: UInt64, from host: HostName) {
        after(.seconds(1)) { world in
            guard world.hosts[host]?.isUp ?? false, world.hosts[peer]?.isUp ?? false else {
                return world.notify(peer, id, epoch, from: host)
            }
            if let copy = world.hosts[peer]?.copies[id], copy.epoch < epoch {
                world.hosts[peer]?.copies[id] = nil
            }
            if world.hosts[host]?.copies[id]?.ownership == .takenOver {
                world.hosts[host]?.copies[id]?.ownership = .owned
            }
        }
    }
}

// MARK: - Migrations

extension World {
    private func migrate(_ request: StartMigration, from host: HostName) -> CommandResult {
        guard let sim = hosts[host], let id = request.id else {
            return .refused(Problem(.invalid, detail: ""))
        }
        if let known = sim.migrations[id] { return .migration(known) }
        guard var copy = sim.copies.values.first(where: { $0.name == request.vm }) else {
            return .refused(Problem(.vmNotFound, detail: "no VM \(request.vm)"))
        }
        guard copy.ownership == .owned, copy.state == .running else {
            return .refused(Problem(.wrongState, detail: "it does not run here"))
        }
        guard copy.migration.flatMap({ sim.migrations[$0] })?.isOver ?? true else {
            return .refused(Problem(.vmBusy, detail: "it is migrating"))
        }
        let info = MigrationInfo(
            id: id, vm: copy.name, vmID: copy.id, source: host, destination: request.to,
            startedAtMs: moment.wallMs, state: .running)
        copy.migration = id
        hosts[host]?.migrations[id] = info
        hosts[host]?.set(copy)
        let agent = sim.agentID
        after(milliseconds(20...100)) { $0.negotiate(info, agent) }
        return .migration(info)
    }

    private func isAlive(_ info: MigrationInfo, _ agent: Identifier128) -> Bool {
        guard let source = hosts[info.source], source.isUp, source.agentID == agent else {
            return false
        }
        return source.migrations[info.id]?.state == .running
    }

    private func negotiate(_ info: MigrationInfo, _ agent: Identifier128) {
        guard isAlive(info, agent) else { return }
        guard let copy = hosts[info.source]?.copies[info.vmID], copy.state == .running,
            let target = hosts[info.destination], target.isUp, !target.refusesArrivals,
            target.copies[info.vmID] == nil, target.epochs[info.vmID] ?? 0 <= copy.epoch
        else { return fail(info, "the destination did not take it") }
        var arriving = copy
        arriving.ownership = .incoming
        arriving.state = .incoming
        arriving.epoch += 1
        arriving.peer = info.source
        hosts[info.destination]?.copies[info.vmID] = arriving
        after(milliseconds(300...4000)) { $0.handOver(info, agent, copy.epoch) }
    }

    private func handOver(_ info: MigrationInfo, _ agent: Identifier128, _ epoch: UInt64) {
        guard isAlive(info, agent) else { return drop(info) }
        guard let copy = hosts[info.source]?.copies[info.vmID], copy.state == .running,
            copy.epoch == epoch, copy.ownership == .owned,
            hosts[info.destination]?.copies[info.vmID]?.ownership == .incoming,
            hosts[info.destination]?.isUp ?? false, !chance(trouble.failedMigrations)
        else {
            drop(info)
            return fail(info, "it broke off")
        }
        if chance(trouble.brokenHandovers) { return breakHandover(info, runs: chance(500)) }
        arrive(info)
        leave(info)
    }

    private func arrive(_ info: MigrationInfo) {
        guard var copy = hosts[info.destination]?.copies[info.vmID] else { return }
        note(copy.name.text, "arrives on \(info.destination) at \(copy.epoch)")
        copy.ownership = .owned
        copy.state = .running
        copy.migration = nil
        copy.peer = nil
        hosts[info.destination]?.set(copy)
        hosts[info.destination]?.endLease(now)
    }

    private func leave(_ info: MigrationInfo) {
        hosts[info.source]?.copies[info.vmID] = nil
        var report = MigrationReport()
        report.total = .milliseconds(moment.wallMs - info.startedAtMs)
        report.downtime = .milliseconds(5)
        report.wireBytes = 1 << 20
        end(info, .succeeded, ReportInfo(report))
    }

    /// The connection breaks in the handover: the source has released the VM, and the destination runs it or has not
    /// heard of that. They settle it when they can talk again.
    private func breakHandover(_ info: MigrationInfo, runs: Bool) {
        guard var copy = hosts[info.source]?.copies[info.vmID] else { return }
        copy.ownership = .released
        copy.state = .paused
        copy.epoch += 1
        copy.peer = info.destination
        hosts[info.source]?.set(copy)
        note(copy.name.text, "\(info.source) releases at \(copy.epoch)")
        if runs { arrive(info) }
        fail(info, "the connection broke in the handover", vmIsRunning: false)
        settle(info, copy.epoch)
    }

    private func settle(_ info: MigrationInfo, _ epoch: UInt64) {
        after(milliseconds(500...8000)) { world in
            guard let source = world.hosts[info.source], source.isUp,
                let target = world.hosts[info.destination], target.isUp
            else { return world.settle(info, epoch) }
            guard var copy = source.copies[info.vmID], copy.ownership == .released,
                copy.epoch == epoch
            else { return world.drop(info) }
            let ran = target.epochs[info.vmID] ?? 0 >= epoch
            if ran { return world.leave(info) }
            world.drop(info)
            world.note(copy.name.text, "\(info.source) takes it back")
            copy.ownership = .owned
            copy.epoch += 1
            copy.peer = nil
            copy.state = copy.isDead ? .failed : .running
            world.hosts[info.source]?.set(copy)
        }
    }

    /// What had arrived of it goes.
    private func drop(_ info: MigrationInfo) {
        guard hosts[info.destination]?.isUp ?? false else { return }
        if hosts[info.destination]?.copies[info.vmID]?.ownership == .incoming {
            hosts[info.destination]?.copies[info.vmID] = nil
        }
    }

    private func fail(_ info: MigrationInfo, _ why: String, vmIsRunning: Bool = true) {
        note(info.vm.text, "migration from \(info.source) fails: \(why)")
        var info = info
        info.failure = FailureInfo(
            code: .connectionBroken, phase: .preCopy, reason: why, aftermath: "",
            vmIsRunning: vmIsRunning)
        end(info, .failed, nil)
    }

    private func end(_ info: MigrationInfo, _ state: MigrationInfo.State, _ report: ReportInfo?) {
        var info = info
        info.state = state
        info.report = report
        hosts[info.source]?.migrations[info.id] = info
        hosts[info.source]?.untold.insert(info.id)
        if hosts[info.source]?.copies[info.vmID]?.migration == info.id {
            hosts[info.source]?.copies[info.vmID]?.migration = nil
        }
    }

    private func cancel(_ id: MigrationID, on host: HostName) -> CommandResult {
        guard let info = hosts[host]?.migrations[id] else {
            return .refused(Problem(.migrationNotFound, detail: ""))
        }
        guard !info.isOver else { return .refused(Problem(.tooLateToCancel, detail: "")) }
        drop(info)
        end(info, .cancelled, nil)
        return .migration(hosts[host]?.migrations[id] ?? info)
    }

    // MARK: Faults

    /// The machine loses power, and has it again after a while.
    func powerOff(_ name: HostName, for time: Duration) {
        guard hosts[name]?.isUp ?? false else { return }
        hosts[name]?.isUp = false
        note("", "\(name) goes off for \(time)")
        for id in hosts[name]!.copies.keys {
            guard var copy = hosts[name]?.copies[id] else { continue }
            copy.migration = nil
            switch copy.ownership {
            case .incoming: hosts[name]?.copies[id] = nil
            case .released: hosts[name]?.copies[id]?.isDead = true
            default:
                if copy.state == .running {
                    copy.state = .failed
                    copy.exit = VMExit(reason: .processDied, detail: "the host went off")
                }
                hosts[name]?.copies[id] = copy
            }
        }
        hosts[name]?.migrations = [:]
        hosts[name]?.untold = []
        // Whoever was sending to it notices; whoever received from it gives up.
        for other in hostNames {
            for info in hosts[other]!.migrations.values
            where info.destination == name && !info.isOver {
                fail(info, "the destination died")
            }
            for (id, copy) in hosts[other]!.copies
            where copy.ownership == .incoming && copy.peer == name {
                let released = hosts[name]?.copies[id]?.ownership == .released
                if !released { hosts[other]?.copies[id] = nil }
            }
        }
        after(time) { world in
            world.hosts[name]?.isUp = true
            world.hosts[name]?.agentID = world.identifier()
            world.hosts[name]?.isRegistered = false
            world.hosts[name]?.sequence = 0
        }
    }

    /// The agent is started again; VMs run on, migrations that were not in the handover end.
    func restartAgent(_ name: HostName) {
        guard hosts[name]?.isUp ?? false else { return }
        note("", "the agent of \(name) restarts")
        for info in hosts[name]!.migrations.values where !info.isOver { drop(info) }
        for id in hosts[name]!.copies.keys { hosts[name]?.copies[id]?.migration = nil }
        hosts[name]?.migrations = [:]
        hosts[name]?.untold = []
        hosts[name]?.agentID = identifier()
        hosts[name]?.isRegistered = false
        hosts[name]?.sequence = 0
    }

    /// Controller and agent do not hear each other for a while.
    func cut(_ name: HostName, for time: Duration) {
        guard hosts[name]?.isConnected ?? false else { return }
        hosts[name]?.isConnected = false
        note("", "\(name) is cut off for \(time)")
        after(time) { $0.hosts[name]?.isConnected = true }
    }
}
