// What the destination's driver waits for: messages, breaks, and what an older connection of the same source left.

import MigrationProtocol
import Model

extension World {
    func addInputSteps(in session: IncomingSession, at place: SessionPlace, to steps: Steps) {
        guard let connection = connection(session.connection) else {
            preconditionFailure("a session that waits has a connection")
        }
        addMessage(of: connection, at: place, to: steps)
        let lost = DestinationMachine.Event.peerLost(FixedValues.refusal)
        let side = place.side
        if connection.isBroken || session.isSuperseded && !session.loop.machine.isCommitted {
            let next = with { $0.receiveInSession(lost, at: place, rules: steps.rules) }
            steps.add(next) { "\(side.label)  notices that the connection is lost" }
        } else if budget.allows(.impatience) {
            let next = with {
                $0.budget.spend(.impatience)
                $0.receiveInSession(lost, at: place, rules: steps.rules)
            }
            steps.add(next, as: .chance) { "\(side.label)  times out" }
        }
        if session.hasGuest, !session.loop.machine.isCommitted, budget.allows(.stream) {
            let next = with {
                $0.budget.spend(.stream)
                $0.receiveInSession(lost, at: place, rules: steps.rules)
            }
            steps.add(next, as: .chance) { "\(side.label)  loses a data stream" }
        }
        addMisdirectedMessages(at: place, to: steps)
    }

    private func addMessage(
        of connection: Connection, at place: SessionPlace, to steps: Steps
    ) {
        guard let message = connection.toDestination.first else { return }
        let side = place.side
        let next = with {
            _ = $0.takeMessage(for: side, on: connection.number)
            $0.receive(message, at: place, rules: steps.rules)
        }
        steps.add(next) { "\(side.label)  reads \(message.text)" }
        if message == .verify { addFailedVerification(on: connection, at: place, to: steps) }
    }

    /// After the source's last message a data stream may still be lost, or a page may be wrong.
    private func addFailedVerification(
        on connection: Connection, at place: SessionPlace, to steps: Steps
    ) {
        let side = place.side
        if budget.allows(.stream) {
            let lost = with {
                $0.budget.spend(.stream)
                _ = $0.takeMessage(for: side, on: connection.number)
                $0.receiveInSession(
                    .peerLost(FixedValues.refusal), at: place, rules: steps.rules)
            }
            steps.add(lost, as: .chance) { "\(side.label)  reads verify, and loses a data stream" }
        }
        guard budget.allows(.corruption) else { return }
        let corrupted = with {
            $0.budget.spend(.corruption)
            _ = $0.takeMessage(for: side, on: connection.number)
            $0.receiveInSession(
                .complete(ours: FixedValues.otherDigest, theirs: FixedValues.digest), at: place,
                rules: steps.rules)
        }
        steps.add(corrupted, as: .chance) { "\(side.label)  reads verify, and a page is wrong" }
    }

    /// A message of an earlier connection arrives where it never should.
    private func addMisdirectedMessages(at place: SessionPlace, to steps: Steps) {
        guard budget.allows(.mixUp) else { return }
        for (position, message) in unreadMessages.enumerated() {
            let next = with {
                $0.budget.spend(.mixUp)
                $0.unreadMessages.remove(at: position)
                $0.receive(message, at: place, rules: steps.rules)
            }
            steps.add(next, as: .chance) {
                "\(place.side.label)  reads \(message.text), of an earlier connection"
            }
        }
    }

    private mutating func receive(
        _ message: ControlMessage, at place: SessionPlace, rules: Rules
    ) {
        guard case .offer(let number, let epoch, let isRehearsal) = message else {
            return receiveInSession(message.destinationEvent, at: place, rules: rules)
        }
        self[place].offer = ReceivedOffer(
            number: number, epoch: epoch, isRehearsal: isRehearsal)
        // The source has one connection for a VM: an older one that still exists was lost.
        for other in hosts[place.side].sessions.indices where other != place.index {
            hosts[place.side].sessions[other].isSuperseded =
                hosts[place.side].sessions[other].hasGuest
        }
    }

    // MARK: An offer, and what an older connection left

    func makeRoom(for offer: ReceivedOffer, at place: SessionPlace, to steps: Steps) {
        let (side, rules) = (place.side, steps.rules)
        if connection(self[place].connection)?.isBroken ?? true {
            let next = with {
                $0[place].offer = nil
                $0.receiveInSession(.refused(FixedValues.refusal), at: place, rules: rules)
            }
            steps.add(next) {
                "\(side.label)  sees that the source of \(FixedValues.label(of: offer.number)) has disconnected again"
            }
        }
        guard let older = hosts[side].sessions.firstIndex(where: { $0.hasGuest }) else {
            let next = with { $0.consider(offer, at: place, rules: rules) }
            return steps.add(next) {
                "\(side.label)  considers \(FixedValues.label(of: offer.number))"
            }
        }
        let olderPlace = SessionPlace(side: side, index: older)
        guard self[olderPlace].isSuspended else {
            guard budget.allows(.impatience) else { return }
            let next = with {
                $0.budget.spend(.impatience)
                $0.consider(offer, at: place, rules: rules)
            }
            return steps.add(next, as: .chance) {
                "\(side.label)  stops waiting for the older session"
            }
        }
        let kept = self[olderPlace].loop.machine.parkedOffer
        if kept.map(offer.message.canContinue) ?? false {
            let next = with { $0.resume(olderPlace, with: offer, from: place, rules: rules) }
            steps.add(next) { "\(side.label)  continues with what it kept" }
        } else {
            let next = with {
                $0.receiveInSession(.failed(FixedValues.refusal), at: olderPlace, rules: rules)
            }
            steps.add(next) { "\(side.label)  does not need what it kept any more" }
        }
    }

    private mutating func consider(
        _ offer: ReceivedOffer, at place: SessionPlace, rules: Rules
    ) {
        self[place].offer = nil
        self[place].number = offer.number
        self[place].nextEpoch = offer.epoch.next
        receiveInSession(
            .offered(offer.message, from: place.side.other.name), at: place, rules: rules)
    }

    /// A suspended session continues on the connection of a new one.
    private mutating func resume(
        _ suspended: SessionPlace, with offer: ReceivedOffer, from place: SessionPlace,
        rules: Rules
    ) {
        self[suspended].connection = self[place].connection
        self[suspended].isSuperseded = false
        consider(offer, at: suspended, rules: rules)
        hosts[place.side].sessions.remove(at: place.index)
    }
}
