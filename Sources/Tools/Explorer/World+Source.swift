// The source's driver: the same loop as `SourceDriver.run`, one action a step.

import MigrationProtocol
import Model
import Ownership
import VMControl

extension World {
    /// Somebody asks for a migration.
    func begin(_ side: Side, _ rules: Rules, _ visit: Visit) {
        let host = hosts[side]
        guard migrations < rules.bounds.migrations, host.isUp, host.outgoing.isEmpty,
            host.errand == .idle, !host.resumesByTakeover, host.place == .present, host.isRunning,
            case .owned(let epoch, _)? = host.ledger.ownership,
            side == .s || rules.bounds.movesBack
        else { return }
        let isCounted = migrations > 0 && rules.bounds.faults.each[.again] != nil
        guard !isCounted || budget.allows(.again) else { return }
        for isRehearsal in rules.bounds.rehearses ? [false, true] : [false] {
            let next = with {
                if isCounted { $0.budget.spend(.again) }
                $0.migrations += 1
                $0.begin(side, $0.migrations * Cast.namesEach, epoch, isRehearsal, rules)
            }
            visit(rules.bounds.mustMove ? .fair : .chance, next) {
                "\(side.label) begins \(isRehearsal ? "rehearsal" : "migration") \(Cast.label((migrations + 1) * Cast.namesEach)) to \(side.other.label)"
            }
        }
    }

    private mutating func begin(
        _ side: Side, _ number: UInt8, _ epoch: Epoch, _ isRehearsal: Bool, _ rules: Rules
    ) {
        let machine = SourceMachine(
            vm: Cast.vm, migration: Cast.migration(number), epoch: epoch,
            destination: side.other.name, downtimeLimit: Cast.downtimeLimit,
            questionsMax: rules.bounds.questions, reconnectsMax: rules.bounds.reconnects,
            isRehearsal: isRehearsal)
        hosts[side].outgoing = [
            Outgoing(number: number, epoch: epoch, isRehearsal: isRehearsal, machine: machine)
        ]
        hosts[side].outgoing[0].events = [.start]
        drain(side, rules)
    }

    func sourceStep(_ side: Side, _ rules: Rules, _ visit: Visit) {
        guard hosts[side].isUp, let out = hosts[side].outgoing.first else { return }
        if out.isTrying {
            finishTry(side, rules, visit)
        } else if let action = out.actions.first {
            perform(action, side, out, rules, visit)
        } else if out.isAsking {
            awaitAnswer(side, rules, visit)
        } else {
            awaitWord(side, out, rules, visit)
        }
        cancel(side, out, rules, visit)
    }

    private func cancel(_ side: Side, _ out: Outgoing, _ rules: Rules, _ visit: Visit) {
        guard budget.allows(.cancel), !out.isCancelled,
            !out.isReleased || rules.has(.cancelAfterRelease)
        else { return }
        let next = with {
            $0.budget.spend(.cancel)
            $0.hosts[side].outgoing[0].isCancelled = true
        }
        visit(.chance, next) {
            "\(side.label) is told to cancel \(Cast.label(out.number)), and takes it"
        }
    }

    /// The first action is done, and this came of it; then what came is handled, as soon as nothing is left to do.
    mutating func done(_ side: Side, _ event: SourceMachine.Event?, _ rules: Rules) {
        hosts[side].outgoing[0].actions.removeFirst()
        if let event { hosts[side].outgoing[0].events.append(event) }
        drain(side, rules)
    }

    mutating func hear(_ side: Side, _ event: SourceMachine.Event, _ rules: Rules) {
        hosts[side].outgoing[0].events.append(event)
        drain(side, rules)
    }

    private mutating func drain(_ side: Side, _ rules: Rules) {
        while hosts[side].outgoing[0].actions.isEmpty, !hosts[side].outgoing[0].events.isEmpty {
            hosts[side].outgoing[0].react(rules)
        }
    }

    // MARK: Doing

    private func perform(
        _ action: SourceMachine.Action, _ side: Side, _ out: Outgoing, _ rules: Rules,
        _ visit: Visit
    ) {
        switch action {
        case .connect: connect(side, out, rules, visit)
        case .reconnect:
            let left = with {
                $0.leave(out.connection, side)
                $0.hosts[side].outgoing[0].goOn()
            }
            left.connect(side, out, rules, visit)
        case .offer:
            let word = Word.offer(out.number, out.epoch, isRehearsal: out.isRehearsal)
            say(word, side, out, nil, rules, visit)
        case .sendRound(let round): sendRound(round, side, out, rules, visit)
        case .throttle: after(side, nil, rules, visit) { "\(side.label) holds vCPUs back" }
        case .pause: pause(side, rules, visit)
        case .sendLast: sendLast(side, out, rules, visit)
        case .rehearse: rehearse(side, rules, visit)
        case .seal: seal(side, rules, visit)
        case .write(let record): write(record, side, out, rules, visit)
        case .sendGo(let epoch): sendGo(epoch, side, out, rules, visit)
        case .ask(let question, let attempt): ask(question, attempt, side, out, rules, visit)
        case .abandon:
            let next = with {
                $0.send(.refused(isHere: false), from: side, on: out.connection)
                $0.leave(out.connection, side)
                $0.hosts[side].outgoing[0].connection = nil
                $0.done(side, nil, rules)
            }
            visit(.fair, next) {
                "\(side.label) ─▶ \(side.other.label)  gives \(Cast.label(out.number)) up"
            }
        case .resumeGuest: resume(side, rules, visit)
        case .end(let ending): end(ending, side, out, rules, visit)
        }
    }

    private func after(
        _ side: Side, _ event: SourceMachine.Event?, _ rules: Rules, _ visit: Visit,
        _ words: () -> String
    ) {
        visit(.fair, with { $0.done(side, event, rules) }, words)
    }

    private func connect(_ side: Side, _ out: Outgoing, _ rules: Rules, _ visit: Visit) {
        guard canReach(from: side) else {
            return after(side, .peerLost, rules, visit) {
                "\(side.label) cannot reach \(side.other.label)"
            }
        }
        guard hosts[side.other].sessions.count < 2 else {
            return after(side, .refused(Cast.refusal), rules, visit) {
                "\(side.other.label) is busy"
            }
        }
        let next = with {
            let number = $0.freeNumber
            $0.connections.append(Connection(number: number, source: side))
            $0.hosts[side].outgoing[0].connection = number
            $0.hosts[side.other].sessions.append(
                Session(
                    machine: DestinationMachine(parks: rules.bounds.parks), connection: number))
            $0.done(side, .connected, rules)
        }
        visit(.fair, next) {
            "\(side.label) ─▶ \(side.other.label)  connects for \(Cast.label(out.number))"
        }
    }

    private func say(
        _ word: Word, _ side: Side, _ out: Outgoing, _ event: SourceMachine.Event?,
        _ rules: Rules, _ visit: Visit
    ) {
        guard out.connection != nil else {
            return after(side, .peerLost, rules, visit) { "\(side.label) has no connection" }
        }
        let next = with {
            $0.send(word, from: side, on: out.connection)
            $0.done(side, event, rules)
        }
        visit(.fair, next) { "\(side.label) ─▶ \(side.other.label)  \(word.words)" }
    }

    /// What ends a long transfer before its end: words from the destination, or a break.
    private func disturb(_ side: Side, _ out: Outgoing, _ rules: Rules, _ visit: Visit) {
        let connection = connection(out.connection)
        if let connection, !connection.toSource.isEmpty {
            let (next, word) = taking(side, connection.number) { world, event in
                world.done(side, event, rules)
            }
            visit(.fair, next) { "\(side.label)  stops sending: \(word)" }
        }
        loseConnection(side, connection, rules, visit) { $0.done(side, .peerLost, rules) }
    }

    private func sendRound(
        _ round: Int, _ side: Side, _ out: Outgoing, _ rules: Rules, _ visit: Visit
    ) {
        disturb(side, out, rules, visit)
        guard connection(out.connection) != nil else { return }
        guard hosts[side].process != nil else {
            return after(side, .failed, rules, visit) { "\(side.label)  has no guest any more" }
        }
        let facts = round <= rules.bounds.earlyRounds ? Cast.earlyRound : Cast.lastRound
        after(side, .roundEnded(facts), rules, visit) {
            "\(side.label) ═▶ \(side.other.label)  round \(round) of memory"
        }
    }

    private func pause(_ side: Side, _ rules: Rules, _ visit: Visit) {
        guard hosts[side].process != nil else {
            let next = with {
                $0.hosts[side].outgoing[0].isPaused = true
                $0.done(side, .failed, rules)
            }
            return visit(.fair, next) { "\(side.label)  has no guest to pause any more" }
        }
        let next = with {
            $0.hosts[side].process?.lifecycle.paused(for: Outgoing.control)
            $0.hosts[side].outgoing[0].isPaused = true
            $0.done(side, .paused, rules)
        }
        visit(.fair, next) { "\(side.label)  pauses the guest for the handover" }
    }

    private func sendLast(_ side: Side, _ out: Outgoing, _ rules: Rules, _ visit: Visit) {
        disturb(side, out, rules, visit)
        guard connection(out.connection) != nil else { return }
        guard hosts[side].process != nil else {
            return after(side, .failed, rules, visit) { "\(side.label)  has no guest any more" }
        }
        say(.verify, side, out, .sentAll(root: Cast.root), rules, visit)
    }

    private func seal(_ side: Side, _ rules: Rules, _ visit: Visit) {
        var next = self
        let isSealed =
            rules.has(.forgottenSeal)
            || next.hosts[side].process?.lifecycle.seal(by: Outgoing.control) ?? false
        next.done(side, isSealed ? .sealed : .failed, rules)
        visit(.fair, next) { "\(side.label)  seals the guest" }
    }

    /// Half of a rehearsal: the guest stands still while its state is saved.
    private func rehearse(_ side: Side, _ rules: Rules, _ visit: Visit) {
        guard hosts[side].process != nil else {
            return after(side, .failed, rules, visit) { "\(side.label)  has no guest any more" }
        }
        let next = with {
            $0.hosts[side].process?.lifecycle.paused(for: Outgoing.control)
            $0.hosts[side].outgoing[0].isTrying = true
        }
        visit(.fair, next) { "\(side.label)  pauses the guest to save its state" }
    }

    private func finishTry(_ side: Side, _ rules: Rules, _ visit: Visit) {
        let number = hosts[side].outgoing[0].connection
        let next = with {
            $0.hosts[side].outgoing[0].isTrying = false
            let hasGuest = $0.hosts[side].process != nil
            $0.hosts[side].process?.lifecycle.resumed()
            if hasGuest { $0.send(.rehearse, from: side, on: number) }
            $0.done(side, hasGuest ? nil : .failed, rules)
        }
        visit(.fair, next) {
            "\(side.label) ─▶ \(side.other.label)  state, to be tried; the guest runs on"
        }
    }

    private func write(
        _ record: LedgerRecord, _ side: Side, _ out: Outgoing, _ rules: Rules, _ visit: Visit
    ) {
        let isRelease = if case .released = record { true } else { false }
        if isRelease, out.isCancelled {
            return after(side, .recordFailed, rules, visit) { "\(side.label)  sees the cancel" }
        }
        write(record, on: side, rules, visit) { world, isWritten in
            if isRelease { world.hosts[side].outgoing[0].isReleased = isWritten }
            world.done(side, isWritten ? .recordWritten : .recordFailed, rules)
        }
    }

    private func sendGo(
        _ epoch: Epoch, _ side: Side, _ out: Outgoing, _ rules: Rules, _ visit: Visit
    ) {
        let went = with { $0.hosts[side].outgoing[0].hasSentGo = true }
        went.say(.go(epoch), side, out, nil, rules, visit)
    }

    private func ask(
        _ question: OwnershipQuestion, _ attempt: Int, _ side: Side, _ out: Outgoing,
        _ rules: Rules, _ visit: Visit
    ) {
        var next = self
        if attempt == 1 {
            next.leave(out.connection, side)
            next.hosts[side].outgoing[0].connection = nil
        }
        if next.ask(.question(question), from: side) {
            next.hosts[side].outgoing[0].isAsking = true
            next.done(side, nil, rules)
            visit(.fair, next) {
                "\(side.label) ─▶ \(side.other.label)  did you take epoch \(question.epoch)? (attempt \(attempt))"
            }
        } else {
            next.done(side, .noAnswer, rules)
            visit(.fair, next) { "\(side.label)  cannot reach \(side.other.label) to ask" }
        }
    }

    private func resume(_ side: Side, _ rules: Rules, _ visit: Visit) {
        var next = self
        if rules.has(.abortWithoutResume) {
            next.done(side, .resumed, rules)
        } else if next.hosts[side].process != nil {
            next.hosts[side].process?.lifecycle.resumed()
            next.hosts[side].outgoing[0].isPaused = false
            next.done(side, .resumed, rules)
        } else {
            let wasPaused = next.hosts[side].outgoing[0].isPaused
            next.done(side, wasPaused ? .resumeFailed : .resumed, rules)
        }
        visit(.fair, next) { "\(side.label)  lets the guest run" }
    }

    /// The driver is done, and the agent does what its ending means.
    private func end(
        _ ending: SourceMachine.Ending, _ side: Side, _ out: Outgoing, _ rules: Rules,
        _ visit: Visit
    ) {
        let next = with {
            $0.violation = $0.violation(of: ending, side, out)
            $0.leave(out.connection, side)
            $0.hosts[side].outgoing = []
            if case .open? = $0.hosts[side].process?.lifecycle.handover {
                $0.hosts[side].process?.hasLostAgent = true
            }
            guard case .handedOver = ending else { return }
            // A ledger that could not be written says so: then it is settled once more.
            if case .released = $0.hosts[side].ledger.ownership { return }
            $0.hosts[side].endProcess()
            $0.hosts[side].place = .absent
        }
        visit(.fair, next) { "\(side.label)  \(ending.words)" }
    }
}

extension Outgoing {
    /// Once more from the start, under another name if the old one is used up there.
    fileprivate mutating func goOn() {
        connection = nil
        isLost = true
        if isRenamed { machine.goOn(as: Cast.migration(number)) }
    }

    /// A word, as the driver tells it to the machine.
    mutating func meaning(of word: Word) -> SourceMachine.Event {
        if word == .accepted { (isLost, isRenamed) = (false, false) }
        guard word == .refused(isHere: true), isLost, !isRenamed else { return word.sourceEvent }
        isRenamed = true
        number += 1
        return .peerLost
    }

    /// As the driver's loop: a cancel comes before everything else as long as it is obeyed.
    fileprivate mutating func react(_ rules: Rules) {
        var event = events.removeFirst()
        if machine.canCancel, isCancelled {
            events = []
            event = .cancel
        }
        if let planted = plantedActions(event, rules) {
            actions = planted
            return
        }
        actions = planted(machine.handle(planted(event, rules)), rules)
    }
}
