// The destination's driver: the same loop as `IncomingDriver.run`, one action a step, and what the agent does when a
// session ends.

import MigrationProtocol
import Model
import VMControl

extension World {
    func sessionStep(_ side: Side, _ index: Int, _ rules: Rules, _ visit: Visit) {
        guard hosts[side].isUp else { return }
        let session = hosts[side].sessions[index]
        if let action = session.actions.first {
            perform(action, side, index, session, rules, visit)
        } else if session.connection == nil {
            let next = with { $0.hear(side, index, .expired, rules) }
            visit(.fair, next) { "\(side.label)  has kept the memory long enough" }
        } else {
            awaitWord(side, index, session, rules, visit)
        }
    }

    private mutating func done(
        _ side: Side, _ index: Int, _ event: DestinationMachine.Event?, _ rules: Rules
    ) {
        hosts[side].sessions[index].actions.removeFirst()
        if let event { hosts[side].sessions[index].events.append(event) }
        hosts[side].sessions[index].drain(rules)
    }

    private mutating func hear(
        _ side: Side, _ index: Int, _ event: DestinationMachine.Event, _ rules: Rules
    ) {
        hosts[side].sessions[index].events.append(event)
        hosts[side].sessions[index].drain(rules)
    }

    // MARK: Doing

    private func perform(
        _ action: DestinationMachine.Action, _ side: Side, _ index: Int, _ session: Session,
        _ rules: Rules, _ visit: Visit
    ) {
        switch action {
        case .prepare(let offer): prepare(offer, side, index, rules, visit)
        case .write(let record): write(record, side, index, rules, visit)
        case .accept: say(.accepted, side, index, session, rules, visit)
        case .load: load(side, index, rules, visit)
        case .sendReady(let root):
            say(.ready(isRight: root == Cast.root), side, index, session, rules, visit)
        case .sendRehearsed: say(.rehearsed, side, index, session, rules, visit)
        case .park:
            let next = with {
                $0.leave(session.connection, side)
                $0.hosts[side].sessions[index].connection = nil
                $0.done(side, index, nil, rules)
            }
            visit(.fair, next) { "\(side.label)  keeps what arrived" }
        case .resumeGuest: resume(side, index, rules, visit)
        case .sendRunning(let epoch): say(.running(epoch), side, index, session, rules, visit)
        case .refuse: say(.refused, side, index, session, rules, visit)
        case .sendNeverRan(let epoch): say(.neverRan(epoch), side, index, session, rules, visit)
        case .discardGuest:
            let next = with {
                if session.hasGuest { $0.hosts[side].endProcess() }
                $0.done(side, index, nil, rules)
            }
            visit(.fair, next) { "\(side.label)  throws what arrived away" }
        case .end(let ending): end(ending, side, index, session, visit)
        }
    }

    private func say(
        _ word: Word, _ side: Side, _ index: Int, _ session: Session, _ rules: Rules,
        _ visit: Visit
    ) {
        let next = with {
            $0.send(word, from: side, on: session.connection)
            $0.done(side, index, nil, rules)
        }
        visit(.fair, next) { "\(side.label) ─▶ \(side.other.label)  \(word.words)" }
    }

    private func prepare(
        _ offer: MigrationOffer, _ side: Side, _ index: Int, _ rules: Rules, _ visit: Visit
    ) {
        guard hosts[side].place == .absent, !hosts[side].mayRun else {
            let next = with { $0.done(side, index, .prepareRefused(Cast.refusal), rules) }
            return visit(.fair, next) { "\(side.label)  has this VM already" }
        }
        let next = with {
            $0.hosts[side].place = .arriving
            $0.hosts[side].process = Process(lifecycle: Lifecycle(state: .incoming))
            $0.hosts[side].sessions[index].hasGuest = true
            $0.done(side, index, .prepared, rules)
        }
        visit(.fair, next) { "\(side.label)  builds the guest" }
        guard budget.allows(.refusal) else { return }
        let refused = with {
            $0.budget.spend(.refusal)
            $0.done(side, index, .prepareRefused(Cast.refusal), rules)
        }
        visit(.chance, refused) { "\(side.label)  has no room" }
    }

    private func write(
        _ record: LedgerRecord, _ side: Side, _ index: Int, _ rules: Rules, _ visit: Visit
    ) {
        let isOwned = if case .owned = record { true } else { false }
        if isOwned, !(hosts[side].process?.isReady ?? false), !rules.has(.runsBeforeOwned) {
            let next = with { $0.done(side, index, .recordFailed(Cast.refusal), rules) }
            return visit(.fair, next) { "\(side.label)  finds that the guest is not ready" }
        }
        let early = with {
            if isOwned, rules.has(.runsBeforeOwned) {
                $0.hosts[side].process?.lifecycle.resumed()
            }
        }
        early.write(record, on: side, isExpected: true, rules, visit) { world, isWritten in
            world.done(side, index, isWritten ? .recordWritten : .recordFailed(Cast.refusal), rules)
        }
    }

    private func load(_ side: Side, _ index: Int, _ rules: Rules, _ visit: Visit) {
        guard hosts[side].process?.lifecycle.state == .incoming else {
            let next = with { $0.done(side, index, .failed(Cast.refusal), rules) }
            return visit(.fair, next) { "\(side.label)  has no guest any more" }
        }
        let next = with {
            $0.hosts[side].process?.lifecycle.loaded()
            $0.done(side, index, .loaded, rules)
        }
        visit(.fair, next) { "\(side.label)  loads the state" }
    }

    private func resume(_ side: Side, _ index: Int, _ rules: Rules, _ visit: Visit) {
        var next = self
        let hasGuest = next.hosts[side].process != nil
        next.hosts[side].process?.lifecycle.resumed()
        next.done(side, index, hasGuest ? .resumed : .resumeFailed(Cast.refusal), rules)
        visit(.fair, next) { "\(side.label)  lets the guest run" }
    }

    private func end(
        _ ending: DestinationMachine.Ending, _ side: Side, _ index: Int, _ session: Session,
        _ visit: Visit
    ) {
        let next = with {
            $0.leave(session.connection, side)
            $0.hosts[side].sessions.remove(at: index)
            guard session.hasGuest else { return }
            switch ending {
            case .running, .ownedButStopped: $0.hosts[side].place = .present
            case .refused, .discarded:
                $0.hosts[side].endProcess()
                $0.hosts[side].place = .absent
            case .undecided:
                $0.hosts[side].undecided = session.number
                $0.hosts[side].discardsUndecided =
                    $0.hosts[side].ledger.ownership?.isUndecided(
                        Cast.migration(session.number)) == false
            }
        }
        visit(.fair, next) { "\(side.label)  \(ending.words)" }
    }

    // MARK: Waiting

    private func awaitWord(
        _ side: Side, _ index: Int, _ session: Session, _ rules: Rules, _ visit: Visit
    ) {
        guard let connection = connection(session.connection) else {
            preconditionFailure("a session without its connection")
        }
        if let word = connection.toDestination.first {
            let next = with {
                _ = $0.takeWord(for: side, on: connection.number)
                $0.take(word, side, index, rules)
            }
            visit(.fair, next) { "\(side.label)  reads \(word.words)" }
            if word == .verify, budget.allows(.corruption) {
                let corrupted = with {
                    $0.budget.spend(.corruption)
                    _ = $0.takeWord(for: side, on: connection.number)
                    $0.hear(
                        side, index, .complete(ours: Cast.otherRoot, theirs: Cast.root), rules)
                }
                visit(.chance, corrupted) { "\(side.label)  reads verify, and a page is wrong" }
            }
        }
        if connection.isBroken {
            let next = with { $0.hear(side, index, .peerLost(Cast.refusal), rules) }
            visit(.fair, next) { "\(side.label)  notices that the connection is lost" }
        } else if budget.allows(.impatience) {
            let next = with {
                $0.budget.spend(.impatience)
                $0.hear(side, index, .peerLost(Cast.refusal), rules)
            }
            visit(.chance, next) { "\(side.label)  waits no longer" }
        }
        if session.hasGuest, !session.machine.isCommitted, budget.allows(.stream) {
            let next = with {
                $0.budget.spend(.stream)
                $0.hear(side, index, .failed(Cast.refusal), rules)
            }
            visit(.chance, next) { "\(side.label)  loses a data stream" }
        }
        mixUp(side, index, rules, visit)
    }

    /// A word of an earlier connection, where it should never be.
    private func mixUp(_ side: Side, _ index: Int, _ rules: Rules, _ visit: Visit) {
        guard budget.allows(.mixUp) else { return }
        for (position, word) in leftovers.enumerated() {
            let next = with {
                $0.budget.spend(.mixUp)
                $0.leftovers.remove(at: position)
                $0.take(word, side, index, rules)
            }
            visit(.chance, next) { "\(side.label)  reads \(word.words), of an earlier connection" }
        }
    }

    private mutating func take(_ word: Word, _ side: Side, _ index: Int, _ rules: Rules) {
        guard case .offer(let number, let epoch, let isRehearsal) = word else {
            return hear(side, index, word.destinationEvent, rules)
        }
        let offer = Cast.offer(number, epoch, isRehearsal: isRehearsal)
        let event = DestinationMachine.Event.offered(offer, from: side.other.name)
        let parked = hosts[side].sessions.firstIndex {
            $0.machine.parkedOffer.map(offer.canContinue) ?? false
        }
        guard let parked else {
            hosts[side].sessions[index].number = number
            hosts[side].sessions[index].nextEpoch = epoch.next
            return hear(side, index, event, rules)
        }
        // What was kept goes on, on the new connection.
        hosts[side].sessions[parked].connection = hosts[side].sessions[index].connection
        hosts[side].sessions[parked].number = number
        hosts[side].sessions[parked].nextEpoch = epoch.next
        hear(side, parked, event, rules)
        hosts[side].sessions.remove(at: index)
    }
}

extension Session {
    fileprivate mutating func drain(_ rules: Rules) {
        while actions.isEmpty, !events.isEmpty {
            let event = planted(events.removeFirst(), rules)
            actions = planted(machine.handle(event), rules)
        }
    }
}
