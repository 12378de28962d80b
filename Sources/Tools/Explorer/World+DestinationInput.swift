// What the destination's driver waits for: messages, breaks, and what an older connection of the same source left.

import MigrationProtocol
import Model

extension World {
    func addInputSteps(in session: IncomingSession, at place: SessionPlace, to steps: Steps) {
        guard let connection = findConnection(numbered: session.connection) else {
            preconditionFailure("a session that waits has a connection")
        }
        addMessage(of: connection, at: place, to: steps)
        let lost = DestinationMachine.Event.peerLost(FixedValues.refusal)
        let side = place.side
        if connection.isBroken || session.isSuperseded && !session.loop.machine.isCommitted {
            let next = makeSuccessor { $0.receiveSessionEvent(lost, at: place, under: steps.rules) }
            steps.addSuccessor(next) { "\(side.label)  notices that the connection is lost" }
        } else if budget.allowsFault(.impatience) {
            let next = makeSuccessor {
                $0.budget.consumeFault(.impatience)
                $0.receiveSessionEvent(lost, at: place, under: steps.rules)
            }
            steps.addSuccessor(next, as: .chance) { "\(side.label)  times out" }
        }
        if session.hasGuest, !session.loop.machine.isCommitted, budget.allowsFault(.stream) {
            let next = makeSuccessor {
                $0.budget.consumeFault(.stream)
                $0.receiveSessionEvent(lost, at: place, under: steps.rules)
            }
            steps.addSuccessor(next, as: .chance) { "\(side.label)  loses a data stream" }
        }
        addMisdirectedMessages(at: place, to: steps)
    }

    private func addMessage(
        of connection: Connection, at place: SessionPlace, to steps: Steps
    ) {
        guard let message = connection.toDestination.first else { return }
        let side = place.side
        let next = makeSuccessor {
            _ = $0.dequeueMessage(for: side, connection: connection.number)
            $0.receiveMessage(message, at: place, under: steps.rules)
        }
        steps.addSuccessor(next) { "\(side.label)  reads \(message.text)" }
        if message == .verify { addFailedVerification(on: connection, at: place, to: steps) }
    }

    /// After the source's last message a data stream may still be lost, or a page may be wrong.
    private func addFailedVerification(
        on connection: Connection, at place: SessionPlace, to steps: Steps
    ) {
        let side = place.side
        if budget.allowsFault(.stream) {
            let lost = makeSuccessor {
                $0.budget.consumeFault(.stream)
                _ = $0.dequeueMessage(for: side, connection: connection.number)
                $0.receiveSessionEvent(
                    .peerLost(FixedValues.refusal), at: place, under: steps.rules)
            }
            steps.addSuccessor(lost, as: .chance) {
                "\(side.label)  reads verify, and loses a data stream"
            }
        }
        guard budget.allowsFault(.corruption) else { return }
        let corrupted = makeSuccessor {
            $0.budget.consumeFault(.corruption)
            _ = $0.dequeueMessage(for: side, connection: connection.number)
            $0.receiveSessionEvent(
                .complete(ours: FixedValues.otherDigest, theirs: FixedValues.digest), at: place,
                under: steps.rules)
        }
        steps.addSuccessor(corrupted, as: .chance) {
            "\(side.label)  reads verify, and a page is wrong"
        }
    }

    /// A message of an earlier connection arrives where it never should.
    private func addMisdirectedMessages(at place: SessionPlace, to steps: Steps) {
        guard budget.allowsFault(.mixUp) else { return }
        for (position, message) in unreadMessages.enumerated() {
            let next = makeSuccessor {
                $0.budget.consumeFault(.mixUp)
                $0.unreadMessages.remove(at: position)
                $0.receiveMessage(message, at: place, under: steps.rules)
            }
            steps.addSuccessor(next, as: .chance) {
                "\(place.side.label)  reads \(message.text), of an earlier connection"
            }
        }
    }

    private mutating func receiveMessage(
        _ message: ControlMessage, at place: SessionPlace, under rules: Rules
    ) {
        guard case .offer(let number, let epoch, let isRehearsal) = message else {
            return receiveSessionEvent(message.destinationEvent, at: place, under: rules)
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

    func addAdmission(of offer: ReceivedOffer, at place: SessionPlace, to steps: Steps) {
        let (side, rules) = (place.side, steps.rules)
        if findConnection(numbered: self[place].connection)?.isBroken ?? true {
            let next = makeSuccessor {
                $0[place].offer = nil
                $0.receiveSessionEvent(.refused(FixedValues.refusal), at: place, under: rules)
            }
            steps.addSuccessor(next) {
                "\(side.label)  sees that the source of \(FixedValues.migrationLabel(number: offer.number)) has disconnected again"
            }
        }
        guard let older = hosts[side].sessions.firstIndex(where: { $0.hasGuest }) else {
            let next = makeSuccessor { $0.submitOffer(offer, at: place, under: rules) }
            return steps.addSuccessor(next) {
                "\(side.label)  considers \(FixedValues.migrationLabel(number: offer.number))"
            }
        }
        let olderPlace = SessionPlace(side: side, index: older)
        guard self[olderPlace].isSuspended else {
            guard budget.allowsFault(.impatience) else { return }
            let next = makeSuccessor {
                $0.budget.consumeFault(.impatience)
                $0.submitOffer(offer, at: place, under: rules)
            }
            return steps.addSuccessor(next, as: .chance) {
                "\(side.label)  stops waiting for the older session"
            }
        }
        let kept = self[olderPlace].loop.machine.parkedOffer
        if kept.map(offer.message.canContinue) ?? false {
            let next = makeSuccessor {
                $0.resumeSession(at: olderPlace, with: offer, from: place, under: rules)
            }
            steps.addSuccessor(next) { "\(side.label)  continues with what it kept" }
        } else {
            let next = makeSuccessor {
                $0.receiveSessionEvent(.failed(FixedValues.refusal), at: olderPlace, under: rules)
            }
            steps.addSuccessor(next) { "\(side.label)  does not need what it kept any more" }
        }
    }

    private mutating func submitOffer(
        _ offer: ReceivedOffer, at place: SessionPlace, under rules: Rules
    ) {
        self[place].offer = nil
        self[place].number = offer.number
        self[place].nextEpoch = offer.epoch.next
        receiveSessionEvent(
            .offered(offer.message, from: place.side.other.name), at: place, under: rules)
    }

    /// A suspended session continues on the connection of a new one.
    private mutating func resumeSession(
        at suspended: SessionPlace, with offer: ReceivedOffer, from place: SessionPlace,
        under rules: Rules
    ) {
        self[suspended].connection = self[place].connection
        self[suspended].isSuperseded = false
        submitOffer(offer, at: suspended, under: rules)
        hosts[place.side].sessions.remove(at: place.index)
    }
}
