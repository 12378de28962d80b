// What the source's driver waits for: words, answers, breaks.

import MigrationProtocol
import Model
import Ownership

extension World {
    /// The state after the next word was taken, and that word.
    func taking(
        _ side: Side, _ number: UInt8, _ then: (inout World, SourceMachine.Event) -> Void
    ) -> (World, String) {
        var next = self
        guard let word = next.takeWord(for: side, on: number) else {
            preconditionFailure("asked for a word where there is none")
        }
        then(&next, next.hosts[side].outgoing[0].meaning(of: word))
        return (next, word.words)
    }

    func awaitWord(_ side: Side, _ out: Outgoing, _ rules: Rules, _ visit: Visit) {
        if out.isCancelled, out.machine.canCancel {
            visit(.fair, with { $0.hear(side, .cancel, rules) }) {
                "\(side.label)  sees the cancel"
            }
        }
        let connection = connection(out.connection)
        if let connection, !connection.toSource.isEmpty {
            let (next, word) = taking(side, connection.number) { $0.hear(side, $1, rules) }
            visit(.fair, next) { "\(side.label)  reads \(word)" }
        }
        loseConnection(side, connection, rules, visit) { $0.hear(side, .peerLost, rules) }
    }

    /// A break that is noticed, or a patience that ends.
    func loseConnection(
        _ side: Side, _ connection: Connection?, _ rules: Rules, _ visit: Visit,
        _ then: (inout World) -> Void
    ) {
        guard let connection, !connection.isBroken else {
            return visit(.fair, with(then)) { "\(side.label)  notices that the connection is lost" }
        }
        guard budget.allows(.impatience) else { return }
        let next = with {
            $0.budget.spend(.impatience)
            then(&$0)
        }
        visit(.chance, next) { "\(side.label)  waits no longer" }
    }

    func awaitAnswer(_ side: Side, _ rules: Rules, _ visit: Visit) {
        answers(side, visit) { world, reply in
            world.hosts[side].outgoing[0].isAsking = false
            let event: SourceMachine.Event =
                switch reply {
                case .answer(let answer)?: .answer(answer)
                case .refused?:
                    rules.has(.refusalIsNo) ? .answer(.neverRan(world.asked(side))) : .noAnswer
                case nil: .noAnswer
                }
            world.hear(side, event, rules)
        }
    }

    private func asked(_ side: Side) -> Epoch { hosts[side].outgoing[0].epoch.next }
}
