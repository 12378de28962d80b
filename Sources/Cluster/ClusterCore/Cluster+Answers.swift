// What agents' answers to commands say, beside that they came.

import API
import Model
import Placement

extension Cluster {
    /// What an agent's answer says beside that it came.
    mutating func take(
        _ result: CommandResult, of command: AgentCommand, _ name: VMName, _ now: Moment,
        _ output: inout Output
    ) {
        guard var vm = vms[name] else { return }
        switch (command.order, result) {
        case (.create(let request), .vm(let info)):
            created(&vm, request, info, command.host)
            // Its agent ended between making it and letting it run; the order came again to the next one.
            if info.state == .paused, vm.policy.desired == .running, vm.place?.host == command.host
            {
                order(.perform(.resume, name), for: vm.id, on: command.host, &output)
            }
        case (.create(let request), .refused(let problem)):
            notCreated(&vm, request, problem, command.host, now, &output)
        case (.delete(_, _), .done):
            deleted(&vm, command.host)
        case (.delete(_, _), .refused(let problem)) where problem.knownCode == .vmNotFound:
            deleted(&vm, command.host)
        case (.perform(.start, _), .vm), (.rule, .done):
            if case .perform = command.order {
                vm.features = hosts[command.host]?.registration.cpuFeatures
            }
            vm.bootWanted = false
            vm.failure = nil
            vmSights[vm.id]?.retryAt = now.uptime + settings.heartbeat
        case (.perform(.stop, _), .vm):
            vmSights[vm.id]?.retryAt = now.uptime + settings.heartbeat
        case (.migrate, .migration(let info)), (.askMigration, .migration(let info)),
            (.cancelMigration, .migration(let info)):
            note(info, on: command.host, of: vm, now)
        case (.migrate, .unanswered): vmSights[vm.id]?.isMoveFresh = false
        case (.cancelMigration, .unanswered): vmSights[vm.id]?.isCancelSent = false
        case (.migrate, .refused(let problem)):
            moveRefused(&vm, problem, command.host, now, &output)
        case (.askMigration, .refused(let problem)) where problem.knownCode == .migrationNotFound:
            moveUnknown(&vm, command.host, now, &output)
        default: break
        }
        guard vms[name] != nil else { return }
        save(vm, &output, now)
    }

    private mutating func created(
        _ vm: inout ClusterVMRecord, _ request: CreateVM, _ info: VMInfo, _ host: HostName
    ) {
        guard let start = vm.start, start.host == host, request.epoch == start.epoch else { return }
        vm.start = nil
        vm.place = VMPlace(host: host, epoch: info.epoch, isLeased: request.spec.isLeased)
        vm.raiseEpoch(to: info.epoch)
        vm.failure = nil
        vm.bootWanted = false
        vm.features = hosts[host]?.registration.cpuFeatures
        vmSights[vm.id]?.refusedBy = [:]
    }

    private static let neverMade: Set<Problem.Code> = [
        .badRequest, .invalid, .nameTaken, .kernelUnusable, .notEnoughMemory, .vmmFailed,
    ]

    private mutating func notCreated(
        _ vm: inout ClusterVMRecord, _ request: CreateVM, _ problem: Problem, _ host: HostName,
        _ now: Moment, _ output: inout Output
    ) {
        // Only what says for sure that nothing was made, nor is being made, ends the order; else it is given again.
        guard vm.start?.host == host, request.epoch == vm.start?.epoch,
            let code = problem.knownCode, Self.neverMade.contains(code)
        else { return }
        vm.start = nil
        // Should it turn up there after all, it is an old copy.
        vm.epochFloor = max(vm.epochFloor, request.epoch ?? 0)
        vm.failure = "host \(host): \(problem.detail)"
        vmSights[vm.id]?.refusedBy[host] = now.uptime + Limits.refusalBackOffMax
        output.tell(.notPlaced(vm.name, why: vm.failure ?? ""))
    }

    private mutating func deleted(_ vm: inout ClusterVMRecord, _ host: HostName) {
        vmSights[vm.id]?.reports[host] = nil
        if vm.retired.contains(where: { $0.host == host }) {
            vm.retired.removeAll { $0.host == host }
        } else if vm.isDeleting, vm.place?.host == host {
            vm.place = nil
        }
    }

    private mutating func note(
        _ info: MigrationInfo, on host: HostName, of vm: ClusterVMRecord, _ now: Moment
    ) {
        if info.isOver {
            vmSights[vm.id]?.movesEnded[info.id] = info
        } else if vm.place?.host == info.destination {
            // The destination was faster to tell.
            askAgain(vm.id, now)
        } else {
            hostSights[host]?.migrations[info.id] = info
        }
    }

    private mutating func askAgain(_ vm: VMID, _ now: Moment) {
        let since = vmSights[vm]?.arrivedSince ?? now.uptime
        vmSights[vm]?.arrivedSince = since
        guard now.uptime - since < Limits.figuresAwaitedMax else { return }
        vmSights[vm]?.isMoveAsked = false
        backOff(vm, now)
    }

    /// The agent did not begin. While its ledger says that the VM is its own, that is the end of it; else the VM may be
    /// on its way already, by an order that an earlier controller gave.
    private mutating func moveRefused(
        _ vm: inout ClusterVMRecord, _ problem: Problem, _ host: HostName, _ now: Moment,
        _ output: inout Output
    ) {
        guard let move = vm.move, move.from == host, problem.knownCode != .staleTerm,
            vmSights[vm.id]?.reports[host]?.ownership == .owned
        else { return }
        let why = "host \(host): \(problem.detail)"
        if vmSights[vm.id]?.isMoveFresh ?? false {
            finishMove(&vm, move, .failed(why, nil), now, &output)
        } else {
            vmSights[vm.id]?.moveRefusal = why
        }
    }

    /// The agent has never heard of the migration.
    private mutating func moveUnknown(
        _ vm: inout ClusterVMRecord, _ host: HostName, _ now: Moment, _ output: inout Output
    ) {
        guard let move = vm.move, move.from == host else { return }
        if vm.place?.host == move.to {
            finishMove(&vm, move, .moved(nil), now, &output)
        } else if move.isCancelled {
            finishMove(&vm, move, .failed("it was cancelled", nil), now, &output)
        }
    }
}
