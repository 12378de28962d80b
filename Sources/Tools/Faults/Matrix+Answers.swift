// What follows a failure can fail too: the refusal's record, the question after a lost answer, the taking back.

import Glibc
import Model

extension Matrix {
    static var answers: [Scenario] { refusals + questions + takingsBack }

    private static func point(
        _ side: Side, _ moment: FaultPoint.Moment, _ call: FaultCall
    ) -> FaultPoint {
        FaultPoint(side: side, moment: moment, call: call)
    }

    private static func kills(
        _ phase: MigrationPhase, _ point: FaultPoint, owners: Set<Side>,
        _ circumstance: Scenario.Circumstance
    ) -> [Scenario] {
        [[Victim.sourceAgent], [.destinationAgent], [.sourceAgent, .destinationAgent]].map {
            Scenario(
                phase: phase, point: point, fault: .kill($0), circumstances: [circumstance],
                owners: owners)
        }
    }

    /// The state cannot be loaded: the destination says no, and writes that it never ran the VM.
    private static var refusals: [Scenario] {
        let noLoad = Scenario.Circumstance(
            point: point(.destination, .before, .request(.loadState)), action: .fail(EPIPE),
            times: 1)
        let points = [
            point(.destination, .before, .record(.neverRan)),
            point(.destination, .unflushed, .record(.neverRan)),
            point(.destination, .after, .record(.neverRan)),
            point(.destination, .before, .message(.refused)),
            point(.destination, .after, .message(.refused)),
        ]
        return points.flatMap { kills(.verify, $0, owners: [.source], noLoad) }
    }

    /// The connection breaks instead of "running": the source asks.
    private static var questions: [Scenario] {
        let noAnswer = Scenario.Circumstance(
            point: point(.destination, .before, .message(.running)), action: .fail(EPIPE), times: 1)
        let points = [
            point(.source, .before, .message(.question)),
            point(.source, .after, .message(.question)),
            point(.destination, .before, .message(.answer)),
            point(.destination, .after, .message(.answer)),
        ]
        return points.flatMap { kills(.announce, $0, owners: [.destination], noAnswer) }
    }

    /// The destination cannot write that it owns the VM, and says so: the source takes it back.
    private static var takingsBack: [Scenario] {
        let notOwned = Scenario.Circumstance(
            point: point(.destination, .before, .record(.owned)), action: .fail(EIO), times: 1)
        let moments = [FaultPoint.Moment.before, .unflushed, .after]
        let killed = moments.flatMap {
            kills(.handover, point(.source, $0, .record(.owned)), owners: [.source], notOwned)
        }
        let failed = [FaultPoint.Moment.before, .unflushed].map {
            Scenario(
                phase: .handover, point: point(.source, $0, .record(.owned)),
                fault: .fail(EIO, times: 1), circumstances: [notOwned], owners: [.source])
        }
        return killed + failed
    }
}
