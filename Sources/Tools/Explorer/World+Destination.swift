// The destination's driver: the same loop as `IncomingDriver.run`, one action a step, and what the agent does when a
// session ends.

import MigrationProtocol
import Model
import Ownership
import VMControl

extension World {
    func sessionStep(_ side: Side, _ index: Int, _ rules: Rules, _ visit: Visit) {
        guard hosts[side].isUp else { return }
        let session = hosts[side].sessions[index]
        if let action = session.actions.first {
            perform(action, side, index, session, rules, visit)
        } else if let offer = session.offer {
            makeRoom(for: offer, side, index, rules, visit)
        } else if session.isParked {
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
        case .refuse(let refusal):
            say(.refused(isHere: refusal == Cast.isHere), side, index, session, rules, visit)
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
            let refusal = hosts[side].mayRun ? Cast.isHere : Cast.refusal
            let next = with { $0.done(side, index, .prepareRefused(refusal), rules) }
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
            let isRuledOut = !isWritten && world.hosts[side].ledger.check(record) == .contradiction
            let event: DestinationMachine.Event =
                isWritten
                ? .recordWritten : .recordFailed(isRuledOut ? Cast.isHere : Cast.refusal)
            world.done(side, index, event, rules)
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
                        after:
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
        if connection.isBroken || session.isSuperseded && !session.machine.isCommitted {
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
                $0.hear(side, index, .peerLost(Cast.refusal), rules)
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
        hosts[side].sessions[index].offer = Offer(
            number: number, epoch: epoch, isRehearsal: isRehearsal)
        // The source has one connection for a VM: one that is there still was lost.
        for other in hosts[side].sessions.indices where other != index {
            hosts[side].sessions[other].isSuperseded = hosts[side].sessions[other].hasGuest
        }
    }

    // MARK: An offer, and what an older connection left

    private func makeRoom(
        for offer: Offer, _ side: Side, _ index: Int, _ rules: Rules, _ visit: Visit
    ) {
        if connection(hosts[side].sessions[index].connection)?.isBroken ?? true {
            let next = with {
                $0.hosts[side].sessions[index].offer = nil
                $0.hear(side, index, .refused(Cast.refusal), rules)
            }
            visit(.fair, next) {
                "\(side.label)  sees that the source of \(Cast.label(offer.number)) has gone again"
            }
        }
        guard let older = hosts[side].sessions.firstIndex(where: { $0.hasGuest }) else {
            let next = with { $0.accept(offer, side, index, rules) }
            return visit(.fair, next) { "\(side.label)  considers \(Cast.label(offer.number))" }
        }
        guard hosts[side].sessions[older].isParked else {
            guard budget.allows(.impatience) else { return }
            let next = with {
                $0.budget.spend(.impatience)
                $0.accept(offer, side, index, rules)
            }
            return visit(.chance, next) { "\(side.label)  waits for the older session no longer" }
        }
        let kept = hosts[side].sessions[older].machine.parkedOffer
        if kept.map(offer.message.canContinue) ?? false {
            let next = with { $0.goOn(offer, with: older, side, index, rules) }
            visit(.fair, next) { "\(side.label)  goes on with what it kept" }
        } else {
            let next = with { $0.hear(side, older, .failed(Cast.refusal), rules) }
            visit(.fair, next) { "\(side.label)  needs what it kept no longer" }
        }
    }

    private mutating func accept(_ offer: Offer, _ side: Side, _ index: Int, _ rules: Rules) {
        hosts[side].sessions[index].offer = nil
        hosts[side].sessions[index].number = offer.number
        hosts[side].sessions[index].nextEpoch = offer.epoch.next
        hear(side, index, .offered(offer.message, from: side.other.name), rules)
    }

    /// What was kept goes on, on the new connection.
    private mutating func goOn(
        _ offer: Offer, with kept: Int, _ side: Side, _ index: Int, _ rules: Rules
    ) {
        hosts[side].sessions[kept].connection = hosts[side].sessions[index].connection
        hosts[side].sessions[kept].isSuperseded = false
        accept(offer, side, kept, rules)
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
