// The destination's driver, one action a step, and what the agent does when a session ends. Which action and which event
// come next is decided by the product's own `DestinationLoop`; what an action does is modelled here.

import MigrationProtocol
import Model
import Ownership
import VMControl

extension World {
    func addSessionSteps(on side: Side, session index: Int, to steps: Steps) {
        guard hosts[side].isUp else { return }
        let place = SessionPlace(side: side, index: index)
        let session = self[place]
        if let action = session.loop.nextAction {
            addSessionAction(action, in: session, at: place, to: steps)
        } else if let offer = session.offer {
            addAdmission(of: offer, at: place, to: steps)
        } else if session.isSuspended {
            let next = makeSuccessor {
                $0.receiveSessionEvent(.expired, at: place, under: steps.rules)
            }
            steps.addSuccessor(next) { "\(side.label)  has kept the memory long enough" }
        } else {
            addInputSteps(in: session, at: place, to: steps)
        }
    }

    private mutating func finishSessionAction(
        at place: SessionPlace, with event: DestinationMachine.Event?, under rules: Rules
    ) {
        self[place].finishAction(with: event, under: rules)
    }

    mutating func receiveSessionEvent(
        _ event: DestinationMachine.Event, at place: SessionPlace, under rules: Rules
    ) {
        self[place].receiveEvent(event, under: rules)
    }

    // MARK: Actions

    private func addSessionAction(
        _ action: DestinationMachine.Action, in session: IncomingSession, at place: SessionPlace,
        to steps: Steps
    ) {
        switch action {
        case .prepare(let offer): prepareGuest(for: offer, at: place, to: steps)
        case .write(let record): writeRecord(record, at: place, to: steps)
        case .accept: addSessionMessage(.accepted, in: session, at: place, to: steps)
        case .load: loadState(at: place, to: steps)
        case .sendReady(let digest):
            let ready = ControlMessage.ready(isRight: digest == FixedValues.digest)
            addSessionMessage(ready, in: session, at: place, to: steps)
        case .sendRehearsed: addSessionMessage(.rehearsed, in: session, at: place, to: steps)
        case .park: suspendSession(session, at: place, to: steps)
        case .resumeGuest: resumeGuest(at: place, to: steps)
        case .sendRunning(let epoch):
            addSessionMessage(.running(epoch), in: session, at: place, to: steps)
        case .refuse(let refusal):
            let refused = ControlMessage.refused(isHere: refusal == FixedValues.isHere)
            addSessionMessage(refused, in: session, at: place, to: steps)
        case .sendNeverRan(let epoch):
            addSessionMessage(.neverRan(epoch), in: session, at: place, to: steps)
        case .discardGuest: discardGuest(of: session, at: place, to: steps)
        case .end(let ending): endSession(session, at: place, with: ending, to: steps)
        }
    }

    private func addSessionMessage(
        _ message: ControlMessage, in session: IncomingSession, at place: SessionPlace,
        to steps: Steps
    ) {
        let side = place.side
        let next = makeSuccessor {
            $0.sendMessage(message, from: side, connection: session.connection)
            $0.finishSessionAction(at: place, with: nil, under: steps.rules)
        }
        steps.addSuccessor(next) { "\(side.label) ─▶ \(side.other.label)  \(message.text)" }
    }

    private func prepareGuest(
        for offer: MigrationOffer, at place: SessionPlace, to steps: Steps
    ) {
        let side = place.side
        guard hosts[side].place == .absent, !hosts[side].mayRun else {
            let refusal = hosts[side].mayRun ? FixedValues.isHere : FixedValues.refusal
            let next = makeSuccessor {
                $0.finishSessionAction(
                    at: place, with: .prepareRefused(refusal), under: steps.rules)
            }
            return steps.addSuccessor(next) { "\(side.label)  has this VM already" }
        }
        let next = makeSuccessor {
            $0.hosts[side].place = .arriving
            $0.hosts[side].process = VMProcess(lifecycle: Lifecycle(state: .incoming))
            $0[place].hasGuest = true
            $0.finishSessionAction(at: place, with: .prepared, under: steps.rules)
        }
        steps.addSuccessor(next) { "\(side.label)  builds the guest" }
        guard budget.allowsFault(.refusal) else { return }
        let refused = makeSuccessor {
            $0.budget.consumeFault(.refusal)
            $0.finishSessionAction(
                at: place, with: .prepareRefused(FixedValues.refusal), under: steps.rules)
        }
        steps.addSuccessor(refused, as: .chance) { "\(side.label)  has no room" }
    }

    /// A guest that died meanwhile must not be owned: the source still has a good one.
    private func writeRecord(_ record: LedgerRecord, at place: SessionPlace, to steps: Steps) {
        let (side, rules) = (place.side, steps.rules)
        let isOwned = if case .owned = record { true } else { false }
        let isReady = hosts[side].process?.isReady ?? false
        if isOwned, !isReady, !rules.hasPlantedBug(.runsBeforeOwned) {
            let event = DestinationMachine.Event.recordFailed(FixedValues.refusal)
            let next = makeSuccessor {
                $0.finishSessionAction(at: place, with: event, under: rules)
            }
            return steps.addSuccessor(next) { "\(side.label)  finds that the guest is not ready" }
        }
        let early = makeSuccessor {
            if isOwned, rules.hasPlantedBug(.runsBeforeOwned) {
                $0.hosts[side].process?.lifecycle.markRunning()
            }
        }
        early.addSessionWrite(of: record, at: place, to: steps)
        guard isOwned, isReady, budget.allowsFault(.processKill) else { return }
        // Between the look at the guest and the write.
        let killed = makeSuccessor { $0.killProcess(on: side) }
        killed.addSessionWrite(of: record, at: place, to: steps)
    }

    private func addSessionWrite(of record: LedgerRecord, at place: SessionPlace, to steps: Steps) {
        addLedgerWrite(of: record, on: place.side, mayContradict: true, to: steps) {
            world, isWritten in
            let isRuledOut =
                !isWritten && world.hosts[place.side].ledger.checkRecord(record) == .contradiction
            let event: DestinationMachine.Event =
                isWritten
                ? .recordWritten
                : .recordFailed(isRuledOut ? FixedValues.isHere : FixedValues.refusal)
            world.finishSessionAction(at: place, with: event, under: steps.rules)
        }
    }

    private func loadState(at place: SessionPlace, to steps: Steps) {
        let side = place.side
        guard hosts[side].process?.lifecycle.state == .incoming else {
            let event = DestinationMachine.Event.failed(FixedValues.refusal)
            let next = makeSuccessor {
                $0.finishSessionAction(at: place, with: event, under: steps.rules)
            }
            return steps.addSuccessor(next) { "\(side.label)  has no guest any more" }
        }
        let next = makeSuccessor {
            $0.hosts[side].process?.lifecycle.markLoaded()
            $0.finishSessionAction(at: place, with: .loaded, under: steps.rules)
        }
        steps.addSuccessor(next) { "\(side.label)  loads the state" }
    }

    private func suspendSession(_ session: IncomingSession, at place: SessionPlace, to steps: Steps)
    {
        let next = makeSuccessor {
            $0.leaveConnection(numbered: session.connection, on: place.side)
            $0[place].connection = nil
            $0.finishSessionAction(at: place, with: nil, under: steps.rules)
        }
        steps.addSuccessor(next) { "\(place.side.label)  keeps what arrived" }
    }

    private func resumeGuest(at place: SessionPlace, to steps: Steps) {
        let side = place.side
        var next = self
        let hasGuest = next.hosts[side].process != nil
        next.hosts[side].process?.lifecycle.markRunning()
        next.finishSessionAction(
            at: place, with: hasGuest ? .resumed : .resumeFailed(FixedValues.refusal),
            under: steps.rules)
        steps.addSuccessor(next) { "\(side.label)  resumes the guest" }
    }

    private func discardGuest(
        of session: IncomingSession, at place: SessionPlace, to steps: Steps
    ) {
        let next = makeSuccessor {
            if session.hasGuest { $0.hosts[place.side].endProcess() }
            $0.finishSessionAction(at: place, with: nil, under: steps.rules)
        }
        steps.addSuccessor(next) { "\(place.side.label)  discards what arrived" }
    }

    private func endSession(
        _ session: IncomingSession, at place: SessionPlace,
        with ending: DestinationMachine.Ending, to steps: Steps
    ) {
        let next = makeSuccessor {
            $0.leaveConnection(numbered: session.connection, on: place.side)
            $0.hosts[place.side].sessions.remove(at: place.index)
            if session.hasGuest { $0.hosts[place.side].applySessionEnd(of: session, with: ending) }
        }
        steps.addSuccessor(next) { "\(place.side.label)  \(ending.text)" }
    }
}

/// Where a session is.
struct SessionPlace {
    let side: Side
    let index: Int
}

extension World {
    subscript(place: SessionPlace) -> IncomingSession {
        _read { yield hosts[place.side].sessions[place.index] }
        _modify { yield &hosts[place.side].sessions[place.index] }
    }
}

extension HostState {
    fileprivate mutating func applySessionEnd(
        of session: IncomingSession, with ending: DestinationMachine.Ending
    ) {
        switch ending {
        case .running, .ownedButStopped: place = .present
        case .refused, .discarded:
            endProcess()
            place = .absent
        case .undecided:
            undecided = session.number
            let migration = FixedValues.migrationID(number: session.number)
            discardsUndecided = ledger.ownership?.isUndecided(after: migration) == false
        }
    }
}

extension IncomingSession {
    fileprivate mutating func finishAction(
        with event: DestinationMachine.Event?, under rules: Rules
    ) {
        guard let bug = rules.bug else { return loop.finishAction(with: event) }
        let nextEpoch = nextEpoch
        loop.finishAction(with: event) { bug.advanceMachine(&$0, with: $1, nextEpoch: nextEpoch) }
    }

    fileprivate mutating func receiveEvent(_ event: DestinationMachine.Event, under rules: Rules) {
        guard let bug = rules.bug else { return loop.receiveEvent(event) }
        let nextEpoch = nextEpoch
        loop.receiveEvent(event) { bug.advanceMachine(&$0, with: $1, nextEpoch: nextEpoch) }
    }
}
