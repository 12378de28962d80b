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
        guard !isCounted || budget.allowsFault(.again) else { return }
        for isRehearsal in bounds.rehearses ? [false, true] : [false] {
            let next = makeSuccessor {
                if isCounted { $0.budget.consumeFault(.again) }
                $0.migrations += 1
                $0.startMigration(
                    on: side, number: $0.migrations * FixedValues.namesEach, inEpoch: epoch,
                    isRehearsal: isRehearsal, under: steps.rules)
            }
            steps.addSuccessor(next, as: bounds.mustMove ? .fair : .chance) {
                "\(side.label) begins \(isRehearsal ? "rehearsal" : "migration") \(FixedValues.migrationLabel(number: (migrations + 1) * FixedValues.namesEach)) to \(side.other.label)"
            }
        }
    }

    private mutating func startMigration(
        on side: Side, number: UInt8, inEpoch epoch: Epoch, isRehearsal: Bool, under rules: Rules
    ) {
        let machine = SourceMachine(
            vm: FixedValues.vm, migration: FixedValues.migrationID(number: number), epoch: epoch,
            destination: side.other.name, downtimeLimit: FixedValues.downtimeLimit,
            questionsMax: rules.bounds.questions,
            // As the driver: a rehearsal that meets a loss has its answer.
            reconnectsMax: isRehearsal ? 0 : rules.bounds.reconnects,
            isRehearsal: isRehearsal)
        hosts[side].outgoing = [
            OutgoingMigration(
                number: number, epoch: epoch, isRehearsal: isRehearsal, loop: SourceLoop(machine))
        ]
        receiveSourceEvent(.start, on: side, under: rules)
    }

    func addSourceSteps(on side: Side, to steps: Steps) {
        guard hosts[side].isUp, let out = hosts[side].outgoing.first else { return }
        if out.isTryingState {
            addTrialEnd(on: side, to: steps)
        } else if let action = out.loop.nextAction {
            addSourceAction(action, on: side, of: out, to: steps)
        } else if out.isAsking {
            addAnswerSteps(on: side, to: steps)
        } else {
            addInputSteps(on: side, of: out, to: steps)
        }
        addCancel(on: side, of: out, to: steps)
    }

    private func addCancel(on side: Side, of out: OutgoingMigration, to steps: Steps) {
        guard budget.allowsFault(.cancel), !out.isCancelled,
            !out.isReleased || steps.rules.hasPlantedBug(.cancelAfterRelease)
        else { return }
        let next = makeSuccessor {
            $0.budget.consumeFault(.cancel)
            $0.hosts[side].outgoing[0].isCancelled = true
        }
        steps.addSuccessor(next, as: .chance) {
            "\(side.label) accepts a cancel of \(FixedValues.migrationLabel(number: out.number))"
        }
    }

    /// The next action was performed, and this event came of it.
    mutating func finishSourceAction(
        on side: Side, with event: SourceMachine.Event?, under rules: Rules
    ) {
        hosts[side].outgoing[0].finishAction(with: event, under: rules)
    }

    mutating func receiveSourceEvent(
        _ event: SourceMachine.Event, on side: Side, under rules: Rules
    ) {
        hosts[side].outgoing[0].receiveEvent(event, under: rules)
    }

    // MARK: Actions

    private func addSourceAction(
        _ action: SourceMachine.Action, on side: Side, of out: OutgoingMigration, to steps: Steps
    ) {
        switch action {
        case .connect: addConnection(on: side, of: out, to: steps)
        case .reconnect:
            let left = makeSuccessor {
                $0.leaveConnection(numbered: out.connection, on: side)
                $0.hosts[side].outgoing[0].prepareReconnect()
            }
            left.addConnection(on: side, of: out, to: steps)
        case .offer:
            let offer = ControlMessage.offer(out.number, out.epoch, isRehearsal: out.isRehearsal)
            addSourceMessage(offer, on: side, of: out, producing: nil, to: steps)
        case .sendRound(let round): addMemoryRound(number: round, on: side, of: out, to: steps)
        case .throttle:
            addFinishedAction(with: nil, on: side, to: steps) {
                "\(side.label)  throttles the vCPUs"
            }
        case .pause: pauseGuest(on: side, to: steps)
        case .sendLast: sendLastRound(on: side, of: out, to: steps)
        case .rehearse: pauseForTrial(on: side, to: steps)
        case .seal: sealGuest(on: side, to: steps)
        case .write(let record): writeRecord(record, on: side, of: out, to: steps)
        case .sendGo(let epoch): addGoMessage(for: epoch, on: side, of: out, to: steps)
        case .ask(let question, let attempt):
            askQuestion(question, attempt: attempt, on: side, of: out, to: steps)
        case .abandon: abandonMigration(on: side, of: out, to: steps)
        case .resumeGuest: resumeGuest(on: side, to: steps)
        case .end(let ending): endMigration(with: ending, on: side, of: out, to: steps)
        }
    }

    private func addFinishedAction(
        with event: SourceMachine.Event?, on side: Side, to steps: Steps, description: () -> String
    ) {
        let next = makeSuccessor {
            $0.finishSourceAction(on: side, with: event, under: steps.rules)
        }
        steps.addSuccessor(next, description: description)
    }

    private func addConnection(on side: Side, of out: OutgoingMigration, to steps: Steps) {
        guard canReachPeer(of: side) else {
            return addFinishedAction(with: .peerLost, on: side, to: steps) {
                "\(side.label) cannot reach \(side.other.label)"
            }
        }
        guard hosts[side.other].sessions.count < 2 else {
            return addFinishedAction(with: .refused(FixedValues.refusal), on: side, to: steps) {
                "\(side.other.label) is busy"
            }
        }
        let next = makeSuccessor {
            let number = $0.freeConnectionNumber
            $0.connections.append(Connection(number: number, source: side))
            $0.hosts[side].outgoing[0].connection = number
            let machine = DestinationMachine(parks: steps.rules.bounds.parks)
            $0.hosts[side.other].sessions.append(
                IncomingSession(loop: DestinationLoop(machine), connection: number))
            $0.finishSourceAction(on: side, with: .connected, under: steps.rules)
        }
        steps.addSuccessor(next) {
            "\(side.label) ─▶ \(side.other.label)  connects for \(FixedValues.migrationLabel(number: out.number))"
        }
    }

    private func addSourceMessage(
        _ message: ControlMessage, on side: Side, of out: OutgoingMigration,
        producing event: SourceMachine.Event?, to steps: Steps
    ) {
        guard out.connection != nil else {
            return addFinishedAction(with: .peerLost, on: side, to: steps) {
                "\(side.label) has no connection"
            }
        }
        let next = makeSuccessor {
            $0.sendMessage(message, from: side, connection: out.connection)
            $0.finishSourceAction(on: side, with: event, under: steps.rules)
        }
        steps.addSuccessor(next) { "\(side.label) ─▶ \(side.other.label)  \(message.text)" }
    }

    /// What ends a long transfer early: a message from the destination, or a break.
    private func addInterruptions(on side: Side, of out: OutgoingMigration, to steps: Steps) {
        let connection = findConnection(numbered: out.connection)
        if let connection, !connection.toSource.isEmpty {
            let (next, message) = takingMessage(on: side, from: connection.number) {
                $0.finishSourceAction(on: side, with: $1, under: steps.rules)
            }
            steps.addSuccessor(next) { "\(side.label)  stops sending: \(message)" }
        }
        addConnectionLoss(on: side, of: connection, to: steps) {
            $0.finishSourceAction(on: side, with: .peerLost, under: steps.rules)
        }
    }

    private func addMemoryRound(
        number round: Int, on side: Side, of out: OutgoingMigration, to steps: Steps
    ) {
        addInterruptions(on: side, of: out, to: steps)
        guard findConnection(numbered: out.connection) != nil else { return }
        guard hosts[side].process != nil else {
            return addFinishedAction(with: .failed, on: side, to: steps) {
                "\(side.label)  has no guest any more"
            }
        }
        let isEarly = round <= steps.rules.bounds.earlyRounds
        let facts = isEarly ? FixedValues.earlyRound : FixedValues.lastRound
        addFinishedAction(with: .roundEnded(facts), on: side, to: steps) {
            "\(side.label) ═▶ \(side.other.label)  round \(round) of memory"
        }
    }

    private func pauseGuest(on side: Side, to steps: Steps) {
        guard hosts[side].process != nil else {
            let next = makeSuccessor {
                $0.hosts[side].outgoing[0].isPaused = true
                $0.finishSourceAction(on: side, with: .failed, under: steps.rules)
            }
            return steps.addSuccessor(next) { "\(side.label)  has no guest to pause any more" }
        }
        let next = makeSuccessor {
            $0.hosts[side].process?.lifecycle.markPaused(for: OutgoingMigration.control)
            $0.hosts[side].outgoing[0].isPaused = true
            $0.finishSourceAction(on: side, with: .paused, under: steps.rules)
        }
        steps.addSuccessor(next) { "\(side.label)  pauses the guest for the handover" }
    }

    private func sendLastRound(on side: Side, of out: OutgoingMigration, to steps: Steps) {
        addInterruptions(on: side, of: out, to: steps)
        guard findConnection(numbered: out.connection) != nil else { return }
        guard hosts[side].process != nil else {
            return addFinishedAction(with: .failed, on: side, to: steps) {
                "\(side.label)  has no guest any more"
            }
        }
        let event = SourceMachine.Event.sentAll(digest: FixedValues.digest)
        addSourceMessage(.verify, on: side, of: out, producing: event, to: steps)
    }

    private func sealGuest(on side: Side, to steps: Steps) {
        var next = self
        let isSealed =
            steps.rules.hasPlantedBug(.forgottenSeal)
            || next.hosts[side].process?.lifecycle.sealHandover(by: OutgoingMigration.control)
                ?? false
        next.finishSourceAction(
            on: side, with: isSealed ? .sealed : .failed, under: steps.rules)
        steps.addSuccessor(next) { "\(side.label)  seals the guest" }
    }

    /// First half of a rehearsal's end: the guest is paused while its state is saved.
    private func pauseForTrial(on side: Side, to steps: Steps) {
        guard hosts[side].process != nil else {
            return addFinishedAction(with: .failed, on: side, to: steps) {
                "\(side.label)  has no guest any more"
            }
        }
        let next = makeSuccessor {
            $0.hosts[side].process?.lifecycle.markPaused(for: OutgoingMigration.control)
            $0.hosts[side].outgoing[0].isTryingState = true
        }
        steps.addSuccessor(next) { "\(side.label)  pauses the guest to save its state" }
    }

    /// Second half: the guest runs again, and its state leaves for the trial.
    private func addTrialEnd(on side: Side, to steps: Steps) {
        let number = hosts[side].outgoing[0].connection
        let next = makeSuccessor {
            $0.hosts[side].outgoing[0].isTryingState = false
            let hasGuest = $0.hosts[side].process != nil
            $0.hosts[side].process?.lifecycle.markRunning()
            if hasGuest { $0.sendMessage(.rehearse, from: side, connection: number) }
            $0.finishSourceAction(
                on: side, with: hasGuest ? nil : .failed, under: steps.rules)
        }
        steps.addSuccessor(next) {
            "\(side.label) ─▶ \(side.other.label)  state for the trial; the guest runs again"
        }
    }

    /// A cancel that was accepted before the release makes the release fail.
    private func writeRecord(
        _ record: LedgerRecord, on side: Side, of out: OutgoingMigration, to steps: Steps
    ) {
        let isRelease = if case .released = record { true } else { false }
        if isRelease, out.isCancelled {
            return addFinishedAction(with: .recordFailed, on: side, to: steps) {
                "\(side.label)  sees the cancel"
            }
        }
        addLedgerWrite(of: record, on: side, to: steps) { world, isWritten in
            if isRelease { world.hosts[side].outgoing[0].isReleased = isWritten }
            world.finishSourceAction(
                on: side, with: isWritten ? .recordWritten : .recordFailed, under: steps.rules)
        }
    }

    private func addGoMessage(
        for epoch: Epoch, on side: Side, of out: OutgoingMigration, to steps: Steps
    ) {
        let marked = makeSuccessor { $0.hosts[side].outgoing[0].hasSentGo = true }
        marked.addSourceMessage(.go(epoch), on: side, of: out, producing: nil, to: steps)
    }

    private func askQuestion(
        _ question: OwnershipQuestion, attempt: Int, on side: Side, of out: OutgoingMigration,
        to steps: Steps
    ) {
        var next = self
        if attempt == 1 {
            next.leaveConnection(numbered: out.connection, on: side)
            next.hosts[side].outgoing[0].connection = nil
        }
        if next.sendOwnershipQuery(.question(question), from: side) {
            next.hosts[side].outgoing[0].isAsking = true
            next.finishSourceAction(on: side, with: nil, under: steps.rules)
            steps.addSuccessor(next) {
                "\(side.label) ─▶ \(side.other.label)  did you take epoch \(question.epoch)? (attempt \(attempt))"
            }
        } else {
            next.finishSourceAction(on: side, with: .noAnswer, under: steps.rules)
            steps.addSuccessor(next) { "\(side.label)  cannot reach \(side.other.label) to ask" }
        }
    }

    private func abandonMigration(on side: Side, of out: OutgoingMigration, to steps: Steps) {
        let next = makeSuccessor {
            $0.sendMessage(.refused(isHere: false), from: side, connection: out.connection)
            $0.leaveConnection(numbered: out.connection, on: side)
            $0.hosts[side].outgoing[0].connection = nil
            $0.finishSourceAction(on: side, with: nil, under: steps.rules)
        }
        steps.addSuccessor(next) {
            "\(side.label) ─▶ \(side.other.label)  abandons \(FixedValues.migrationLabel(number: out.number))"
        }
    }

    private func resumeGuest(on side: Side, to steps: Steps) {
        var next = self
        let isBroken = steps.rules.hasPlantedBug(.abortWithoutResume)
        let event = isBroken ? .resumed : next.resumeSourceGuest(on: side)
        next.finishSourceAction(on: side, with: event, under: steps.rules)
        steps.addSuccessor(next) { "\(side.label)  resumes the guest" }
    }

    private mutating func resumeSourceGuest(on side: Side) -> SourceMachine.Event {
        guard hosts[side].process != nil else {
            return hosts[side].outgoing[0].isPaused ? .resumeFailed : .resumed
        }
        hosts[side].process?.lifecycle.markRunning()
        hosts[side].outgoing[0].isPaused = false
        return .resumed
    }

    /// The driver has ended, and the agent does what its ending requires.
    private func endMigration(
        with ending: SourceMachine.Ending, on side: Side, of out: OutgoingMigration, to steps: Steps
    ) {
        let next = makeSuccessor {
            $0.violation = $0.violation(of: ending, on: side, migration: out)
            $0.leaveConnection(numbered: out.connection, on: side)
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
        steps.addSuccessor(next) { "\(side.label)  \(ending.text)" }
    }
}
