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
            perform(action, in: session, at: place, to: steps)
        } else if let offer = session.offer {
            makeRoom(for: offer, at: place, to: steps)
        } else if session.isSuspended {
            let next = with { $0.receiveInSession(.expired, at: place, rules: steps.rules) }
            steps.add(next) { "\(side.label)  has kept the memory long enough" }
        } else {
            addInputSteps(in: session, at: place, to: steps)
        }
    }

    private mutating func finishSessionAction(
        at place: SessionPlace, event: DestinationMachine.Event?, rules: Rules
    ) {
        self[place].finishAction(with: event, rules: rules)
    }

    mutating func receiveInSession(
        _ event: DestinationMachine.Event, at place: SessionPlace, rules: Rules
    ) {
        self[place].receive(event, rules: rules)
    }

    // MARK: Actions

    private func perform(
        _ action: DestinationMachine.Action, in session: IncomingSession, at place: SessionPlace,
        to steps: Steps
    ) {
        switch action {
        case .prepare(let offer): prepareGuest(for: offer, at: place, to: steps)
        case .write(let record): writeRecord(record, at: place, to: steps)
        case .accept: send(.accepted, in: session, at: place, to: steps)
        case .load: loadState(at: place, to: steps)
        case .sendReady(let digest):
            let ready = ControlMessage.ready(isRight: digest == FixedValues.digest)
            send(ready, in: session, at: place, to: steps)
        case .sendRehearsed: send(.rehearsed, in: session, at: place, to: steps)
        case .park: suspend(session, at: place, to: steps)
        case .resumeGuest: resumeGuest(at: place, to: steps)
        case .sendRunning(let epoch): send(.running(epoch), in: session, at: place, to: steps)
        case .refuse(let refusal):
            let refused = ControlMessage.refused(isHere: refusal == FixedValues.isHere)
            send(refused, in: session, at: place, to: steps)
        case .sendNeverRan(let epoch): send(.neverRan(epoch), in: session, at: place, to: steps)
        case .discardGuest: discardGuest(of: session, at: place, to: steps)
        case .end(let ending): end(session, at: place, with: ending, to: steps)
        }
    }

    private func send(
        _ message: ControlMessage, in session: IncomingSession, at place: SessionPlace,
        to steps: Steps
    ) {
        let side = place.side
        let next = with {
            $0.send(message, from: side, on: session.connection)
            $0.finishSessionAction(at: place, event: nil, rules: steps.rules)
        }
        steps.add(next) { "\(side.label) ─▶ \(side.other.label)  \(message.text)" }
    }

    private func prepareGuest(
        for offer: MigrationOffer, at place: SessionPlace, to steps: Steps
    ) {
        let side = place.side
        guard hosts[side].place == .absent, !hosts[side].mayRun else {
            let refusal = hosts[side].mayRun ? FixedValues.isHere : FixedValues.refusal
            let next = with {
                $0.finishSessionAction(
                    at: place, event: .prepareRefused(refusal), rules: steps.rules)
            }
            return steps.add(next) { "\(side.label)  has this VM already" }
        }
        let next = with {
            $0.hosts[side].place = .arriving
            $0.hosts[side].process = VMProcess(lifecycle: Lifecycle(state: .incoming))
            $0[place].hasGuest = true
            $0.finishSessionAction(at: place, event: .prepared, rules: steps.rules)
        }
        steps.add(next) { "\(side.label)  builds the guest" }
        guard budget.allows(.refusal) else { return }
        let refused = with {
            $0.budget.spend(.refusal)
            $0.finishSessionAction(
                at: place, event: .prepareRefused(FixedValues.refusal), rules: steps.rules)
        }
        steps.add(refused, as: .chance) { "\(side.label)  has no room" }
    }

    /// A guest that died meanwhile must not be owned: the source still has a good one.
    private func writeRecord(_ record: LedgerRecord, at place: SessionPlace, to steps: Steps) {
        let (side, rules) = (place.side, steps.rules)
        let isOwned = if case .owned = record { true } else { false }
        let isReady = hosts[side].process?.isReady ?? false
        if isOwned, !isReady, !rules.has(.runsBeforeOwned) {
            let event = DestinationMachine.Event.recordFailed(FixedValues.refusal)
            let next = with { $0.finishSessionAction(at: place, event: event, rules: rules) }
            return steps.add(next) { "\(side.label)  finds that the guest is not ready" }
        }
        let early = with {
            if isOwned, rules.has(.runsBeforeOwned) {
                $0.hosts[side].process?.lifecycle.resumed()
            }
        }
        early.addSessionWrite(of: record, at: place, to: steps)
        guard isOwned, isReady, budget.allows(.processKill) else { return }
        // Between the look at the guest and the write.
        let killed = with { $0.killProcess(on: side) }
        killed.addSessionWrite(of: record, at: place, to: steps)
    }

    private func addSessionWrite(of record: LedgerRecord, at place: SessionPlace, to steps: Steps) {
        addWrite(of: record, on: place.side, mayContradict: true, to: steps) { world, isWritten in
            let isRuledOut =
                !isWritten && world.hosts[place.side].ledger.check(record) == .contradiction
            let event: DestinationMachine.Event =
                isWritten
                ? .recordWritten
                : .recordFailed(isRuledOut ? FixedValues.isHere : FixedValues.refusal)
            world.finishSessionAction(at: place, event: event, rules: steps.rules)
        }
    }

    private func loadState(at place: SessionPlace, to steps: Steps) {
        let side = place.side
        guard hosts[side].process?.lifecycle.state == .incoming else {
            let event = DestinationMachine.Event.failed(FixedValues.refusal)
            let next = with { $0.finishSessionAction(at: place, event: event, rules: steps.rules) }
            return steps.add(next) { "\(side.label)  has no guest any more" }
        }
        let next = with {
            $0.hosts[side].process?.lifecycle.loaded()
            $0.finishSessionAction(at: place, event: .loaded, rules: steps.rules)
        }
        steps.add(next) { "\(side.label)  loads the state" }
    }

    private func suspend(_ session: IncomingSession, at place: SessionPlace, to steps: Steps) {
        let next = with {
            $0.leaveConnection(session.connection, on: place.side)
            $0[place].connection = nil
            $0.finishSessionAction(at: place, event: nil, rules: steps.rules)
        }
        steps.add(next) { "\(place.side.label)  keeps what arrived" }
    }

    private func resumeGuest(at place: SessionPlace, to steps: Steps) {
        let side = place.side
        var next = self
        let hasGuest = next.hosts[side].process != nil
        next.hosts[side].process?.lifecycle.resumed()
        next.finishSessionAction(
            at: place, event: hasGuest ? .resumed : .resumeFailed(FixedValues.refusal),
            rules: steps.rules)
        steps.add(next) { "\(side.label)  resumes the guest" }
    }

    private func discardGuest(
        of session: IncomingSession, at place: SessionPlace, to steps: Steps
    ) {
        let next = with {
            if session.hasGuest { $0.hosts[place.side].endProcess() }
            $0.finishSessionAction(at: place, event: nil, rules: steps.rules)
        }
        steps.add(next) { "\(place.side.label)  discards what arrived" }
    }

    private func end(
        _ session: IncomingSession, at place: SessionPlace,
        with ending: DestinationMachine.Ending, to steps: Steps
    ) {
        let next = with {
            $0.leaveConnection(session.connection, on: place.side)
            $0.hosts[place.side].sessions.remove(at: place.index)
            if session.hasGuest { $0.hosts[place.side].sessionEnded(session, with: ending) }
        }
        steps.add(next) { "\(place.side.label)  \(ending.text)" }
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
    fileprivate mutating func sessionEnded(
        _ session: IncomingSession, with ending: DestinationMachine.Ending
    ) {
        switch ending {
        case .running, .ownedButStopped: place = .present
        case .refused, .discarded:
            endProcess()
            place = .absent
        case .undecided:
            undecided = session.number
            let migration = FixedValues.migration(session.number)
            discardsUndecided = ledger.ownership?.isUndecided(after: migration) == false
        }
    }
}

extension IncomingSession {
    fileprivate mutating func finishAction(with event: DestinationMachine.Event?, rules: Rules) {
        guard let bug = rules.bug else { return loop.finishAction(with: event) }
        let nextEpoch = nextEpoch
        loop.finishAction(with: event) { bug.react(&$0, to: $1, nextEpoch: nextEpoch) }
    }

    fileprivate mutating func receive(_ event: DestinationMachine.Event, rules: Rules) {
        guard let bug = rules.bug else { return loop.receive(event) }
        let nextEpoch = nextEpoch
        loop.receive(event) { bug.react(&$0, to: $1, nextEpoch: nextEpoch) }
    }
}
