// Faults of the link: cut for a moment, for longer, for good, one way and both; and connections that are reset.

import Model

extension Matrix {
    private static let preCopy = FaultPoint(
        side: .source, moment: .before, call: .frame, occurrence: 8)

    /// The points of the handover where what is on its way decides.
    private static var handover: [Place] {
        places.filter {
            switch ($0.point.moment, $0.point.call) {
            case (.before, .message(.state)), (.before, .message(.verify)),
                (.before, .message(.ready)), (.before, .message(.go)), (.after, .message(.go)),
                (.before, .record(.released)), (.before, .record(.owned)),
                (.before, .message(.running)), (.before, .record(.handedOver)):
                true
            default: false
            }
        }
    }

    private static var negotiation: [Place] {
        places.filter {
            [.message(.offer), .message(.accepted)].contains($0.point.call)
                && $0.point.moment == .before
        }
    }

    static var cuts: [Scenario] {
        let directions = [CutDirection.both, .toDestination, .toSource]
        var all: [Scenario] = []
        for place in [Faults.Place.loopback, .namespaces] {
            for direction in directions {
                for time: Duration? in [.seconds(1), .seconds(5), nil] {
                    all.append(
                        Scenario(
                            phase: .preCopy, point: preCopy, fault: .cut(direction, time),
                            place: place))
                }
                // For good costs half a minute of questions: on loopback one direction is enough.
                let isWhole = place == .namespaces || direction == .both
                for time: Duration? in isWhole ? [.seconds(1), nil] : [.seconds(1)] {
                    for point in handover {
                        all.append(
                            Scenario(
                                phase: point.phase, point: point.point,
                                fault: .cut(direction, time), place: place))
                    }
                }
            }
            for point in negotiation {
                all.append(
                    Scenario(
                        phase: point.phase, point: point.point, fault: .cut(.both, nil),
                        place: place))
            }
        }
        return all + [throttledCut, aliveCut]
    }

    /// The guest is held back when the link goes: it must be let go.
    private static var throttledCut: Scenario {
        Scenario(
            phase: .preCopy,
            point: throttled, fault: .cut(.both, nil), load: .restless, owners: [.source])
    }

    /// The sign of life is lost, no page is: a stream that is slowed down makes the source send one.
    private static var aliveCut: Scenario {
        Scenario(
            phase: .preCopy,
            point: FaultPoint(side: .source, moment: .before, call: .message(.alive)),
            fault: .cut(.both, .seconds(1)),
            circumstances: [
                Scenario.Circumstance(
                    point: FaultPoint(side: .source, moment: .before, call: .frame, occurrence: 8),
                    action: .delay(milliseconds: 2500), times: 1)
            ])
    }

    static var resets: [Scenario] {
        ([preCopy].map { (MigrationPhase.preCopy, $0) }
            + (negotiation + handover).map { ($0.phase, $0.point) })
            .map { Scenario(phase: $0, point: $1, fault: .reset) }
    }
}
