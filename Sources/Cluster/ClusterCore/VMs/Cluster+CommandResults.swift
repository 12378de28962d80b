// What agents answer to commands, and what follows from it.

import API
import Model
import Placement

extension Cluster {
    /// A command was answered, or was not.
    package mutating func finishCommand(
        withID id: CommandID, result: CommandResult, in context: inout Context
    ) {
        guard let command = commands.finishCommand(withID: id),
            let name = records.vms.recordName(of: command.vm)
        else { return }
        switch result {
        case .unanswered(let reason):
            recordFailure(of: command, vm: name, because: reason, in: &context)
        case .refused(let problem):
            recordFailure(of: command, vm: name, because: problem.detail, in: &context)
        case .done, .vm, .migration: commands.endBackOff(of: command.vm)
        }
        applyResult(result, of: command, in: &context)
        reconcileVM(named: name, in: &context)
    }

    private mutating func recordFailure(
        of command: AgentCommand, vm name: VMName, because reason: String,
        in context: inout Context
    ) {
        commands.beginBackOff(of: command.vm, at: context.now.uptime)
        context.reportEvent(.commandFailed(name, command.host, reason))
    }

    private mutating func applyResult(
        _ result: CommandResult, of command: AgentCommand, in context: inout Context
    ) {
        guard var vm = records.vms[command.vm] else { return }
        switch (command.order, result) {
        case (.create(let request), .vm(let info)):
            recordCreation(of: &vm, request: request, info: info, on: command.host)
            // Its agent ended between making it and resuming it; the order came again to the next one.
            if info.state == .paused, vm.policy.desired == .running, vm.place?.host == command.host
            {
                sendOrder(.perform(.resume, vm.name), for: vm.id, to: command.host, in: &context)
            }
        case (.create(let request), .refused(let problem)):
            recordRefusedCreation(
                of: &vm, request: request, refusal: problem, by: command.host, in: &context)
        case (.delete(_, _), .done): recordDeletion(of: &vm, on: command.host)
        case (.delete(_, _), .refused(let problem)) where problem.knownCode == .vmNotFound:
            recordDeletion(of: &vm, on: command.host)
        case (.perform(.start, _), .vm):
            vm.features = records.hosts[command.host]?.description.cpuFeatures
            recordStart(of: &vm, at: context.now.uptime)
        case (.recover, .done): recordStart(of: &vm, at: context.now.uptime)
        case (.perform(.stop, _), .vm):
            commands.postponeCommands(for: vm.id, until: context.now.uptime + settings.heartbeat)
        case (.migrate, _), (.askMigration, _), (.cancelMigration, _):
            applyMigrationResult(result, of: command, to: &vm, in: &context)
        default: break
        }
        guard records.vms[vm.name] != nil else { return }
        storeVMRecord(vm, in: &context)
    }

    private mutating func recordStart(of vm: inout ClusterVMRecord, at now: Duration) {
        vm.bootWanted = false
        vm.failure = nil
        commands.postponeCommands(for: vm.id, until: now + settings.heartbeat)
    }

    private mutating func recordCreation(
        of vm: inout ClusterVMRecord, request: CreateVM, info: VMInfo, on host: HostName
    ) {
        guard let start = vm.start, start.host == host, request.epoch == start.epoch else { return }
        vm.start = nil
        vm.place = VMPlace(host: host, epoch: info.epoch, isLeased: request.spec.isLeased)
        vm.raiseEpoch(to: info.epoch)
        vm.failure = nil
        vm.bootWanted = false
        vm.features = records.hosts[host]?.description.cpuFeatures
        observations[vm.id]?.clearRefusals()
    }

    private static let neverMade: Set<Problem.Code> = [
        .badRequest, .invalid, .nameTaken, .kernelUnusable, .notEnoughMemory, .vmmFailed,
    ]

    private mutating func recordRefusedCreation(
        of vm: inout ClusterVMRecord, request: CreateVM, refusal problem: Problem,
        by host: HostName, in context: inout Context
    ) {
        // Only what says for sure that nothing was made, nor is being made, ends the order; else it is given again.
        guard vm.start?.host == host, request.epoch == vm.start?.epoch,
            let code = problem.knownCode, Self.neverMade.contains(code)
        else { return }
        let reason = "host \(host): \(problem.detail)"
        vm.start = nil
        // Should it turn up there after all, it is an old copy.
        vm.epochFloor = max(vm.epochFloor, request.epoch ?? 0)
        vm.failure = reason
        observations[vm.id]?.recordRefusal(by: host, at: context.now.uptime)
        context.reportEvent(.notPlaced(vm.name, reason: reason))
    }

    private mutating func recordDeletion(of vm: inout ClusterVMRecord, on host: HostName) {
        observations[vm.id]?.removeReport(from: host)
        if vm.retired.contains(where: { $0.host == host }) {
            vm.retired.removeAll { $0.host == host }
        } else if vm.isDeleting, vm.place?.host == host {
            vm.place = nil
            vm.takeover = nil
        }
    }
}

// MARK: - Migrations

extension Cluster {
    private mutating func applyMigrationResult(
        _ result: CommandResult, of command: AgentCommand, to vm: inout ClusterVMRecord,
        in context: inout Context
    ) {
        switch (command.order, result) {
        case (_, .migration(let info)):
            recordMigration(info, on: command.host, of: vm, at: context.now.uptime)
        case (.migrate, .unanswered): observations[vm.id]?.migration.recordLostAnswer()
        case (.cancelMigration, .unanswered):
            observations[vm.id]?.migration.markCancel(sent: false)
        case (.migrate, .refused(let problem)):
            recordRefusedMigration(of: &vm, refusal: problem, by: command.host, in: &context)
        case (.askMigration, .refused(let problem))
        where problem.knownCode == .migrationNotFound:
            recordUnknownMigration(of: &vm, by: command.host, in: &context)
        default: break
        }
    }

    private mutating func recordMigration(
        _ info: MigrationInfo, on host: HostName, of vm: ClusterVMRecord, at now: Duration
    ) {
        if info.isOver {
            recordEnd(of: info)
        } else if vm.place?.host == info.destination {
            // The destination reported first.
            if observations[vm.id]?.migration.retryFigures(at: now) ?? false {
                commands.beginBackOff(of: vm.id, at: now)
            }
        } else {
            observations[host]?.recordMigration(info)
        }
    }

    /// The agent did not begin. While its ledger says that the VM is its own, that is the end of it; else the VM may be
    /// on its way already, by an order that an earlier controller gave.
    private mutating func recordRefusedMigration(
        of vm: inout ClusterVMRecord, refusal problem: Problem, by host: HostName,
        in context: inout Context
    ) {
        guard let move = vm.move, move.from == host, problem.knownCode != .staleTerm,
            latestReport(of: vm.id, from: host)?.ownership == .owned
        else { return }
        let reason = "host \(host): \(problem.detail)"
        if observations[vm.id]?.migration.isFresh ?? false {
            finishMigration(of: &vm, with: .failed(reason: reason, nil), in: &context)
        } else {
            observations[vm.id]?.migration.recordRefusal(reason: reason)
        }
    }

    /// The agent does not know the migration.
    private mutating func recordUnknownMigration(
        of vm: inout ClusterVMRecord, by host: HostName, in context: inout Context
    ) {
        guard let move = vm.move, move.from == host else { return }
        if vm.place?.host == move.to {
            finishMigration(of: &vm, with: .moved(nil), in: &context)
        } else if move.isCancelled {
            finishMigration(
                of: &vm, with: .failed(reason: "it was cancelled", nil), in: &context)
        }
    }
}
