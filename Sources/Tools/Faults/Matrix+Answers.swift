// What follows a failure can fail too: the refusal's record, the question after a lost answer, the taking back.

import Glibc
import Model

extension Matrix {
    static var answers: [Scenario] { refusals + questions + takingsBack }

    private static func faultPoint(
        at side: Side, when moment: FaultPoint.Moment, call: FaultCall
    ) -> FaultPoint {
        FaultPoint(side: side, moment: moment, call: call)
    }

    private static func agentKills(
        during phase: MigrationPhase, at point: FaultPoint, owners: Set<Side>,
        given circumstance: Scenario.Circumstance
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
            point: faultPoint(at: .destination, when: .before, call: .request(.loadState)),
            action: .fail(EPIPE),
            times: 1)
        let points = [
            faultPoint(at: .destination, when: .before, call: .record(.neverRan)),
            faultPoint(at: .destination, when: .unflushed, call: .record(.neverRan)),
            faultPoint(at: .destination, when: .after, call: .record(.neverRan)),
            faultPoint(at: .destination, when: .before, call: .message(.refused)),
            faultPoint(at: .destination, when: .after, call: .message(.refused)),
        ]
        return points.flatMap {
            agentKills(during: .verify, at: $0, owners: [.source], given: noLoad)
        }
    }

    /// The connection breaks instead of "running": the source asks.
    private static var questions: [Scenario] {
        let noAnswer = Scenario.Circumstance(
            point: faultPoint(at: .destination, when: .before, call: .message(.running)),
            action: .fail(EPIPE), times: 1)
        let points = [
            faultPoint(at: .source, when: .before, call: .message(.question)),
            faultPoint(at: .source, when: .after, call: .message(.question)),
            faultPoint(at: .destination, when: .before, call: .message(.answer)),
            faultPoint(at: .destination, when: .after, call: .message(.answer)),
        ]
        return points.flatMap {
            agentKills(during: .announce, at: $0, owners: [.destination], given: noAnswer)
        }
    }

    /// The destination cannot write that it owns the VM, and says so: the source takes it back.
    private static var takingsBack: [Scenario] {
        let notOwned = Scenario.Circumstance(
            point: faultPoint(at: .destination, when: .before, call: .record(.owned)),
            action: .fail(EIO), times: 1)
        let moments = [FaultPoint.Moment.before, .unflushed, .after]
        let killed = moments.flatMap {
            agentKills(
                during: .handover, at: faultPoint(at: .source, when: $0, call: .record(.owned)),
                owners: [.source], given: notOwned)
        }
        let failed = [FaultPoint.Moment.before, .unflushed].map {
            Scenario(
                phase: .handover, point: faultPoint(at: .source, when: $0, call: .record(.owned)),
                fault: .fail(EIO, times: 1), circumstances: [notOwned], owners: [.source])
        }
        return killed + failed
    }
}
