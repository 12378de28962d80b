// What the source's driver waits for: messages, answers, breaks.

import MigrationProtocol
import Model
import Ownership

extension World {
    /// The state after the next message was taken, and the message's text.
    func takingMessage(
        on side: Side, from number: UInt8,
        then: (_ world: inout World, _ event: SourceMachine.Event) -> Void
    ) -> (next: World, text: String) {
        var next = self
        guard let message = next.takeMessage(for: side, on: number) else {
            preconditionFailure("a message is taken only where there is one")
        }
        then(&next, next.hosts[side].outgoing[0].event(for: message))
        return (next, message.text)
    }

    func addInputSteps(on side: Side, of out: OutgoingMigration, to steps: Steps) {
        if out.isCancelled, out.loop.machine.canCancel {
            let next = with { $0.receiveAtSource(.cancel, on: side, rules: steps.rules) }
            steps.add(next) { "\(side.label)  sees the cancel" }
        }
        let connection = connection(out.connection)
        if let connection, !connection.toSource.isEmpty {
            let (next, message) = takingMessage(on: side, from: connection.number) {
                $0.receiveAtSource($1, on: side, rules: steps.rules)
            }
            steps.add(next) { "\(side.label)  reads \(message)" }
        }
        addConnectionLoss(on: side, of: connection, to: steps) {
            $0.receiveAtSource(.peerLost, on: side, rules: steps.rules)
        }
    }

    /// A break is noticed, or the wait for the peer times out.
    func addConnectionLoss(
        on side: Side, of connection: Connection?, to steps: Steps,
        then: (_ world: inout World) -> Void
    ) {
        guard let connection, !connection.isBroken else {
            return steps.add(with(then)) {
                "\(side.label)  notices that the connection is lost"
            }
        }
        guard budget.allows(.impatience) else { return }
        let next = with {
            $0.budget.spend(.impatience)
            then(&$0)
        }
        steps.add(next, as: .chance) { "\(side.label)  times out" }
    }

    func addAnswerSteps(on side: Side, to steps: Steps) {
        addReplySteps(on: side, to: steps) { world, reply, _ in
            world.hosts[side].outgoing[0].isAsking = false
            let event: SourceMachine.Event =
                switch reply {
                case .answer(let answer)?: .answer(answer)
                case .refused?:
                    steps.rules.has(.refusalIsNo)
                        ? .answer(.neverRan(world.askedEpoch(on: side))) : .noAnswer
                case nil: .noAnswer
                }
            world.receiveAtSource(event, on: side, rules: steps.rules)
        }
    }

    private func askedEpoch(on side: Side) -> Epoch { hosts[side].outgoing[0].epoch.next }
}

extension OutgoingMigration {
    mutating func finishAction(with event: SourceMachine.Event?, rules: Rules) {
        let isCancelled = isCancelled
        guard let bug = rules.bug else {
            return loop.finishAction(with: event, isCancelled: { isCancelled })
        }
        let facts = PlantedBug.SourceFacts(self)
        loop.finishAction(with: event, isCancelled: { isCancelled }) {
            bug.react(&$0, to: $1, facts: facts)
        }
    }

    mutating func receive(_ event: SourceMachine.Event, rules: Rules) {
        let isCancelled = isCancelled
        guard let bug = rules.bug else {
            return loop.receive(event, isCancelled: { isCancelled })
        }
        let facts = PlantedBug.SourceFacts(self)
        loop.receive(event, isCancelled: { isCancelled }) {
            bug.react(&$0, to: $1, facts: facts)
        }
    }

    /// Before it connects again: under another name if the destination has used up the old one.
    mutating func prepareReconnect() {
        connection = nil
        isLost = true
        if isRenamed { loop.rename(to: FixedValues.migration(number)) }
    }

    /// A message as the driver gives it to the machine.
    mutating func event(for message: ControlMessage) -> SourceMachine.Event {
        if message == .accepted { (isLost, isRenamed) = (false, false) }
        guard message == .refused(isHere: true), isLost, !isRenamed else {
            return message.sourceEvent
        }
        isRenamed = true
        number += 1
        return .peerLost
    }
}
