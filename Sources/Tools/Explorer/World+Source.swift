// The source's driver, one action a step. Which action and which event come next is decided by the product's own
// `SourceLoop`; what an action does to guest, ledger and connections is modelled here.

import MigrationProtocol
import Model
import Ownership
import VMControl

extension World {
    /// A migration or a rehearsal is requested.
    func addMigrationStarts(on side: Side, to steps: Steps) {
        let (host, bounds) = (hosts[side], steps.rules.bounds)
        guard migrations < bounds.migrations, host.isUp, host.outgoing.isEmpty,
            host.resolution == .idle, !host.resumesAfterTakeover, host.place == .present,
            host.isRunning, case .owned(let epoch, _)? = host.ledger.ownership,
            side == .s || bounds.movesBack
        else { return }
        let isCounted = migrations > 0 && bounds.faults.each[.again] != nil
        guard !isCounted || budget.allows(.again) else { return }
        for isRehearsal in bounds.rehearses ? [false, true] : [false] {
            let next = with {
                if isCounted { $0.budget.spend(.again) }
                $0.migrations += 1
                $0.startMigration(
                    on: side, number: $0.migrations * FixedValues.namesEach, epoch: epoch,
                    isRehearsal: isRehearsal, rules: steps.rules)
            }
            steps.add(next, as: bounds.mustMove ? .fair : .chance) {
                "\(side.label) begins \(isRehearsal ? "rehearsal" : "migration") \(FixedValues.label(of: (migrations + 1) * FixedValues.namesEach)) to \(side.other.label)"
            }
        }
    }

    private mutating func startMigration(
        on side: Side, number: UInt8, epoch: Epoch, isRehearsal: Bool, rules: Rules
    ) {
        let machine = SourceMachine(
            vm: FixedValues.vm, migration: FixedValues.migration(number), epoch: epoch,
            destination: side.other.name, downtimeLimit: FixedValues.downtimeLimit,
            questionsMax: rules.bounds.questions,
            // As the driver: a rehearsal that meets a loss has its answer.
            reconnectsMax: isRehearsal ? 0 : rules.bounds.reconnects,
            isRehearsal: isRehearsal)
        hosts[side].outgoing = [
            OutgoingMigration(
                number: number, epoch: epoch, isRehearsal: isRehearsal, loop: SourceLoop(machine))
        ]
        receiveAtSource(.start, on: side, rules: rules)
    }

    func addSourceSteps(on side: Side, to steps: Steps) {
        guard hosts[side].isUp, let out = hosts[side].outgoing.first else { return }
        if out.isTryingState {
            addTrialEnd(on: side, to: steps)
        } else if let action = out.loop.nextAction {
            perform(action, on: side, of: out, to: steps)
        } else if out.isAsking {
            addAnswerSteps(on: side, to: steps)
        } else {
            addInputSteps(on: side, of: out, to: steps)
        }
        addCancel(on: side, of: out, to: steps)
    }

    private func addCancel(on side: Side, of out: OutgoingMigration, to steps: Steps) {
        guard budget.allows(.cancel), !out.isCancelled,
            !out.isReleased || steps.rules.has(.cancelAfterRelease)
        else { return }
        let next = with {
            $0.budget.spend(.cancel)
            $0.hosts[side].outgoing[0].isCancelled = true
        }
        steps.add(next, as: .chance) {
            "\(side.label) accepts a cancel of \(FixedValues.label(of: out.number))"
        }
    }

    /// The next action was performed, and this event came of it.
    mutating func finishSourceAction(
        on side: Side, event: SourceMachine.Event?, rules: Rules
    ) {
        hosts[side].outgoing[0].finishAction(with: event, rules: rules)
    }

    mutating func receiveAtSource(_ event: SourceMachine.Event, on side: Side, rules: Rules) {
        hosts[side].outgoing[0].receive(event, rules: rules)
    }

    // MARK: Actions

    private func perform(
        _ action: SourceMachine.Action, on side: Side, of out: OutgoingMigration, to steps: Steps
    ) {
        switch action {
        case .connect: connect(on: side, of: out, to: steps)
        case .reconnect:
            let left = with {
                $0.leaveConnection(out.connection, on: side)
                $0.hosts[side].outgoing[0].prepareReconnect()
            }
            left.connect(on: side, of: out, to: steps)
        case .offer:
            let offer = ControlMessage.offer(out.number, out.epoch, isRehearsal: out.isRehearsal)
            send(offer, on: side, of: out, event: nil, to: steps)
        case .sendRound(let round): sendRound(round, on: side, of: out, to: steps)
        case .throttle:
            finish(event: nil, on: side, to: steps) { "\(side.label)  throttles the vCPUs" }
        case .pause: pauseGuest(on: side, to: steps)
        case .sendLast: sendLastRound(on: side, of: out, to: steps)
        case .rehearse: pauseForTrial(on: side, to: steps)
        case .seal: sealGuest(on: side, to: steps)
        case .write(let record): writeRecord(record, on: side, of: out, to: steps)
        case .sendGo(let epoch): sendGo(epoch, on: side, of: out, to: steps)
        case .ask(let question, let attempt):
            ask(question, attempt: attempt, on: side, of: out, to: steps)
        case .abandon: abandon(on: side, of: out, to: steps)
        case .resumeGuest: resumeGuest(on: side, to: steps)
        case .end(let ending): endMigration(ending, on: side, of: out, to: steps)
        }
    }

    private func finish(
        event: SourceMachine.Event?, on side: Side, to steps: Steps, description: () -> String
    ) {
        let next = with {
            $0.finishSourceAction(on: side, event: event, rules: steps.rules)
        }
        steps.add(next, description: description)
    }

    private func connect(on side: Side, of out: OutgoingMigration, to steps: Steps) {
        guard canReachPeer(of: side) else {
            return finish(event: .peerLost, on: side, to: steps) {
                "\(side.label) cannot reach \(side.other.label)"
            }
        }
        guard hosts[side.other].sessions.count < 2 else {
            return finish(event: .refused(FixedValues.refusal), on: side, to: steps) {
                "\(side.other.label) is busy"
            }
        }
        let next = with {
            let number = $0.freeConnectionNumber
            $0.connections.append(Connection(number: number, source: side))
            $0.hosts[side].outgoing[0].connection = number
            let machine = DestinationMachine(parks: steps.rules.bounds.parks)
            $0.hosts[side.other].sessions.append(
                IncomingSession(loop: DestinationLoop(machine), connection: number))
            $0.finishSourceAction(on: side, event: .connected, rules: steps.rules)
        }
        steps.add(next) {
            "\(side.label) ─▶ \(side.other.label)  connects for \(FixedValues.label(of: out.number))"
        }
    }

    private func send(
        _ message: ControlMessage, on side: Side, of out: OutgoingMigration,
        event: SourceMachine.Event?, to steps: Steps
    ) {
        guard out.connection != nil else {
            return finish(event: .peerLost, on: side, to: steps) {
                "\(side.label) has no connection"
            }
        }
        let next = with {
            $0.send(message, from: side, on: out.connection)
            $0.finishSourceAction(on: side, event: event, rules: steps.rules)
        }
        steps.add(next) { "\(side.label) ─▶ \(side.other.label)  \(message.text)" }
    }

    /// What ends a long transfer early: a message from the destination, or a break.
    private func addInterruptions(on side: Side, of out: OutgoingMigration, to steps: Steps) {
        let connection = connection(out.connection)
        if let connection, !connection.toSource.isEmpty {
            let (next, message) = takingMessage(on: side, from: connection.number) {
                $0.finishSourceAction(on: side, event: $1, rules: steps.rules)
            }
            steps.add(next) { "\(side.label)  stops sending: \(message)" }
        }
        addConnectionLoss(on: side, of: connection, to: steps) {
            $0.finishSourceAction(on: side, event: .peerLost, rules: steps.rules)
        }
    }

    private func sendRound(
        _ round: Int, on side: Side, of out: OutgoingMigration, to steps: Steps
    ) {
        addInterruptions(on: side, of: out, to: steps)
        guard connection(out.connection) != nil else { return }
        guard hosts[side].process != nil else {
            return finish(event: .failed, on: side, to: steps) {
                "\(side.label)  has no guest any more"
            }
        }
        let isEarly = round <= steps.rules.bounds.earlyRounds
        let facts = isEarly ? FixedValues.earlyRound : FixedValues.lastRound
        finish(event: .roundEnded(facts), on: side, to: steps) {
            "\(side.label) ═▶ \(side.other.label)  round \(round) of memory"
        }
    }

    private func pauseGuest(on side: Side, to steps: Steps) {
        guard hosts[side].process != nil else {
            let next = with {
                $0.hosts[side].outgoing[0].isPaused = true
                $0.finishSourceAction(on: side, event: .failed, rules: steps.rules)
            }
            return steps.add(next) { "\(side.label)  has no guest to pause any more" }
        }
        let next = with {
            $0.hosts[side].process?.lifecycle.paused(for: OutgoingMigration.control)
            $0.hosts[side].outgoing[0].isPaused = true
            $0.finishSourceAction(on: side, event: .paused, rules: steps.rules)
        }
        steps.add(next) { "\(side.label)  pauses the guest for the handover" }
    }

    private func sendLastRound(on side: Side, of out: OutgoingMigration, to steps: Steps) {
        addInterruptions(on: side, of: out, to: steps)
        guard connection(out.connection) != nil else { return }
        guard hosts[side].process != nil else {
            return finish(event: .failed, on: side, to: steps) {
                "\(side.label)  has no guest any more"
            }
        }
        let event = SourceMachine.Event.sentAll(digest: FixedValues.digest)
        send(.verify, on: side, of: out, event: event, to: steps)
    }

    private func sealGuest(on side: Side, to steps: Steps) {
        var next = self
        let isSealed =
            steps.rules.has(.forgottenSeal)
            || next.hosts[side].process?.lifecycle.seal(by: OutgoingMigration.control) ?? false
        next.finishSourceAction(
            on: side, event: isSealed ? .sealed : .failed, rules: steps.rules)
        steps.add(next) { "\(side.label)  seals the guest" }
    }

    /// First half of a rehearsal's end: the guest is paused while its state is saved.
    private func pauseForTrial(on side: Side, to steps: Steps) {
        guard hosts[side].process != nil else {
            return finish(event: .failed, on: side, to: steps) {
                "\(side.label)  has no guest any more"
            }
        }
        let next = with {
            $0.hosts[side].process?.lifecycle.paused(for: OutgoingMigration.control)
            $0.hosts[side].outgoing[0].isTryingState = true
        }
        steps.add(next) { "\(side.label)  pauses the guest to save its state" }
    }

    /// Second half: the guest runs again, and its state leaves for the trial.
    private func addTrialEnd(on side: Side, to steps: Steps) {
        let number = hosts[side].outgoing[0].connection
        let next = with {
            $0.hosts[side].outgoing[0].isTryingState = false
            let hasGuest = $0.hosts[side].process != nil
            $0.hosts[side].process?.lifecycle.resumed()
            if hasGuest { $0.send(.rehearse, from: side, on: number) }
            $0.finishSourceAction(
                on: side, event: hasGuest ? nil : .failed, rules: steps.rules)
        }
        steps.add(next) {
            "\(side.label) ─▶ \(side.other.label)  state for the trial; the guest runs again"
        }
    }

    /// A cancel that was accepted before the release makes the release fail.
    private func writeRecord(
        _ record: LedgerRecord, on side: Side, of out: OutgoingMigration, to steps: Steps
    ) {
        let isRelease = if case .released = record { true } else { false }
        if isRelease, out.isCancelled {
            return finish(event: .recordFailed, on: side, to: steps) {
                "\(side.label)  sees the cancel"
            }
        }
        addWrite(of: record, on: side, to: steps) { world, isWritten in
            if isRelease { world.hosts[side].outgoing[0].isReleased = isWritten }
            world.finishSourceAction(
                on: side, event: isWritten ? .recordWritten : .recordFailed, rules: steps.rules)
        }
    }

    private func sendGo(
        _ epoch: Epoch, on side: Side, of out: OutgoingMigration, to steps: Steps
    ) {
        let marked = with { $0.hosts[side].outgoing[0].hasSentGo = true }
        marked.send(.go(epoch), on: side, of: out, event: nil, to: steps)
    }

    private func ask(
        _ question: OwnershipQuestion, attempt: Int, on side: Side, of out: OutgoingMigration,
        to steps: Steps
    ) {
        var next = self
        if attempt == 1 {
            next.leaveConnection(out.connection, on: side)
            next.hosts[side].outgoing[0].connection = nil
        }
        if next.sendQuery(.question(question), from: side) {
            next.hosts[side].outgoing[0].isAsking = true
            next.finishSourceAction(on: side, event: nil, rules: steps.rules)
            steps.add(next) {
                "\(side.label) ─▶ \(side.other.label)  did you take epoch \(question.epoch)? (attempt \(attempt))"
            }
        } else {
            next.finishSourceAction(on: side, event: .noAnswer, rules: steps.rules)
            steps.add(next) { "\(side.label)  cannot reach \(side.other.label) to ask" }
        }
    }

    private func abandon(on side: Side, of out: OutgoingMigration, to steps: Steps) {
        let next = with {
            $0.send(.refused(isHere: false), from: side, on: out.connection)
            $0.leaveConnection(out.connection, on: side)
            $0.hosts[side].outgoing[0].connection = nil
            $0.finishSourceAction(on: side, event: nil, rules: steps.rules)
        }
        steps.add(next) {
            "\(side.label) ─▶ \(side.other.label)  abandons \(FixedValues.label(of: out.number))"
        }
    }

    private func resumeGuest(on side: Side, to steps: Steps) {
        var next = self
        let isBroken = steps.rules.has(.abortWithoutResume)
        let event = isBroken ? .resumed : next.resumeAtSource(side)
        next.finishSourceAction(on: side, event: event, rules: steps.rules)
        steps.add(next) { "\(side.label)  resumes the guest" }
    }

    private mutating func resumeAtSource(_ side: Side) -> SourceMachine.Event {
        guard hosts[side].process != nil else {
            return hosts[side].outgoing[0].isPaused ? .resumeFailed : .resumed
        }
        hosts[side].process?.lifecycle.resumed()
        hosts[side].outgoing[0].isPaused = false
        return .resumed
    }

    /// The driver has ended, and the agent does what its ending requires.
    private func endMigration(
        _ ending: SourceMachine.Ending, on side: Side, of out: OutgoingMigration, to steps: Steps
    ) {
        let next = with {
            $0.violation = $0.violation(of: ending, on: side, migration: out)
            $0.leaveConnection(out.connection, on: side)
            $0.hosts[side].outgoing = []
            if case .open? = $0.hosts[side].process?.lifecycle.handover {
                $0.hosts[side].process?.hasLostAgent = true
            }
            guard case .handedOver = ending else { return }
            // A ledger that could not be written still says `released`: the handover is resolved once more.
            if case .released = $0.hosts[side].ledger.ownership { return }
            $0.hosts[side].endProcess()
            $0.hosts[side].place = .absent
        }
        steps.add(next) { "\(side.label)  \(ending.text)" }
    }
}
