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
        guard let message = next.dequeueMessage(for: side, connection: number) else {
            preconditionFailure("a message is taken only where there is one")
        }
        then(&next, next.hosts[side].outgoing[0].sourceEvent(for: message))
        return (next, message.text)
    }

    func addInputSteps(on side: Side, of out: OutgoingMigration, to steps: Steps) {
        if out.isCancelled, out.loop.machine.canCancel {
            let next = makeSuccessor {
                $0.receiveSourceEvent(.cancel, on: side, under: steps.rules)
            }
            steps.addSuccessor(next) { "\(side.label)  sees the cancel" }
        }
        let connection = findConnection(numbered: out.connection)
        if let connection, !connection.toSource.isEmpty {
            let (next, message) = takingMessage(on: side, from: connection.number) {
                $0.receiveSourceEvent($1, on: side, under: steps.rules)
            }
            steps.addSuccessor(next) { "\(side.label)  reads \(message)" }
        }
        addConnectionLoss(on: side, of: connection, to: steps) {
            $0.receiveSourceEvent(.peerLost, on: side, under: steps.rules)
        }
    }

    /// A break is noticed, or the wait for the peer times out.
    func addConnectionLoss(
        on side: Side, of connection: Connection?, to steps: Steps,
        then: (_ world: inout World) -> Void
    ) {
        guard let connection, !connection.isBroken else {
            return steps.addSuccessor(makeSuccessor(applying: then)) {
                "\(side.label)  notices that the connection is lost"
            }
        }
        guard budget.allowsFault(.impatience) else { return }
        let next = makeSuccessor {
            $0.budget.consumeFault(.impatience)
            then(&$0)
        }
        steps.addSuccessor(next, as: .chance) { "\(side.label)  times out" }
    }

    func addAnswerSteps(on side: Side, to steps: Steps) {
        addReplySteps(on: side, to: steps) { world, reply, _ in
            world.hosts[side].outgoing[0].isAsking = false
            let event: SourceMachine.Event =
                switch reply {
                case .answer(let answer)?: .answer(answer)
                case .refused?:
                    steps.rules.hasPlantedBug(.refusalIsNo)
                        ? .answer(.neverRan(world.askedEpoch(on: side))) : .noAnswer
                case nil: .noAnswer
                }
            world.receiveSourceEvent(event, on: side, under: steps.rules)
        }
    }

    private func askedEpoch(on side: Side) -> Epoch { hosts[side].outgoing[0].epoch.next }
}

extension OutgoingMigration {
    mutating func finishAction(with event: SourceMachine.Event?, under rules: Rules) {
        let isCancelled = isCancelled
        guard let bug = rules.bug else {
            return loop.finishAction(with: event, isCancelled: { isCancelled })
        }
        let facts = PlantedBug.SourceFacts(self)
        loop.finishAction(with: event, isCancelled: { isCancelled }) {
            bug.advanceMachine(&$0, with: $1, facts: facts)
        }
    }

    mutating func receiveEvent(_ event: SourceMachine.Event, under rules: Rules) {
        let isCancelled = isCancelled
        guard let bug = rules.bug else {
            return loop.receiveEvent(event, isCancelled: { isCancelled })
        }
        let facts = PlantedBug.SourceFacts(self)
        loop.receiveEvent(event, isCancelled: { isCancelled }) {
            bug.advanceMachine(&$0, with: $1, facts: facts)
        }
    }

    /// Before it connects again: under another name if the destination has used up the old one.
    mutating func prepareReconnect() {
        connection = nil
        isLost = true
        if isRenamed { loop.renameMigration(to: FixedValues.migrationID(number: number)) }
    }

    /// A message as the driver gives it to the machine.
    mutating func sourceEvent(for message: ControlMessage) -> SourceMachine.Event {
        if message == .accepted { (isLost, isRenamed) = (false, false) }
        guard message == .refused(isHere: true), isLost, !isRenamed else {
            return message.sourceEvent
        }
        isRenamed = true
        number += 1
        return .peerLost
    }
}
