// Which faults at which points: every phase, every message, every record, every request, each process and the link.

import Glibc
import Model

package enum Matrix {
    /// All scenarios, in the order of the phases.
    package static var all: [Scenario] {
        (kills + answers + freezes + cuts + resets + disks + memory).sorted { $0.phase < $1.phase }
    }

    /// A point, the phase that it is in, and what killing each process there leads to.
    struct Place: Hashable {
        var phase: MigrationPhase
        var point: FaultPoint
        /// Who must have the VM after the death of an agent; both when it is a race.
        var sourceAgent: Set<Side>
        var destinationAgent: Set<Side>
        /// Whose VM is gone with a ferry-vmm that is killed there, if it is its own.
        var owner: Side
        /// The destination's ferry-vmm is there.
        var hasDestinationVMM: Bool
    }

    private static let source: Set<Side> = [.source]
    private static let destination: Set<Side> = [.destination]
    private static let either: Set<Side> = [.source, .destination]

    /// Before the destination has built the VM.
    private static let early: [Place] = [
        (.connect, .source, .before, FaultCall.message(.hello), 1),
        (.connect, .source, .after, .message(.hello), 1),
        (.connect, .destination, .before, .message(.welcome), 1),
        (.connect, .destination, .after, .message(.welcome), 1),
        (.negotiate, .source, .before, .message(.offer), 1),
        (.negotiate, .source, .after, .message(.offer), 1),
        (.negotiate, .destination, .before, .file(.mkdir, path: "/vms/"), 1),
        (.negotiate, .destination, .before, .file(.rename, path: "/vm.json"), 1),
    ].map { phase, side, moment, call, number in
        Place(
            phase: phase,
            point: FaultPoint(side: side, moment: moment, call: call, occurrence: number),
            sourceAgent: source, destinationAgent: either, owner: .source,
            hasDestinationVMM: false)
    }

    /// Until the source releases the VM: whatever dies but the source's ferry-vmm, it stays there.
    private static let beforeRelease: [Place] = [
        (.negotiate, Side.destination, FaultPoint.Moment.after, FaultCall.request(.attach), 1),
        (.negotiate, .destination, .before, .record(.incoming), 1),
        (.negotiate, .destination, .unflushed, .record(.incoming), 1),
        (.negotiate, .destination, .after, .record(.incoming), 1),
        (.negotiate, .destination, .before, .message(.accepted), 1),
        (.negotiate, .destination, .after, .message(.accepted), 1),
        (.negotiate, .source, .before, .message(.hello), 2),
        (.negotiate, .destination, .before, .message(.welcome), 3),
        (.preCopy, .source, .before, .request(.startDirtyLog), 1),
        (.preCopy, .source, .after, .request(.startDirtyLog), 1),
        (.preCopy, .source, .before, .request(.fetchDirtyLog), 1),
        (.preCopy, .source, .before, .request(.clearDirtyLog), 1),
        (.preCopy, .source, .after, .request(.clearDirtyLog), 1),
        (.preCopy, .source, .before, .frame, 4),
        (.preCopy, .source, .after, .frame, 16),
        (.pause, .source, .before, .request(.pause), 1),
        (.pause, .source, .after, .request(.pause), 1),
        (.deviceState, .source, .before, .request(.saveState), 1),
        (.deviceState, .source, .after, .request(.saveState), 1),
        (.deviceState, .source, .before, .message(.state), 1),
        (.lastPages, .source, .after, .message(.state), 1),
        (.lastPages, .source, .before, .message(.verify), 1),
        (.verify, .source, .after, .message(.verify), 1),
        (.verify, .source, .before, .request(.seal), 1),
        (.verify, .source, .after, .request(.seal), 1),
        (.verify, .destination, .before, .request(.loadState), 1),
        (.verify, .destination, .after, .request(.loadState), 1),
        (.verify, .destination, .before, .message(.ready), 1),
        (.verify, .destination, .after, .message(.ready), 1),
        (.handover, .source, .before, .record(.released), 1),
    ].map { phase, side, moment, call, number in
        Place(
            phase: phase,
            point: FaultPoint(side: side, moment: moment, call: call, occurrence: number),
            // What the source does next may be past the release when its destination's words are out.
            sourceAgent: call == .message(.ready) && moment == .after ? either : source,
            // A pre-copy that broke goes on with the destination's next agent.
            destinationAgent: phase <= .preCopy ? either : source,
            owner: .source, hasDestinationVMM: true)
    }

    /// From the release on.
    private static let afterRelease: [Place] = [
        faultPlace(
            in: .handover, at: .source, when: .unflushed, call: .record(.released),
            sourceAgent: source, destinationAgent: source),
        faultPlace(
            in: .handover, at: .source, when: .after, call: .record(.released), sourceAgent: source,
            destinationAgent: source),
        faultPlace(
            in: .handover, at: .source, when: .before, call: .message(.go), sourceAgent: source,
            destinationAgent: source),
        faultPlace(
            in: .handover, at: .source, when: .after, call: .message(.go), sourceAgent: either,
            destinationAgent: either),
        faultPlace(
            in: .handover, at: .destination, when: .before, call: .record(.owned),
            sourceAgent: destination, destinationAgent: source),
        faultPlace(
            in: .handover, at: .destination, when: .unflushed, call: .record(.owned),
            sourceAgent: destination, destinationAgent: destination),
        faultPlace(
            in: .handover, at: .destination, when: .after, call: .record(.owned),
            sourceAgent: destination, destinationAgent: destination),
        faultPlace(
            in: .resume, at: .destination, when: .before, call: .request(.resume),
            sourceAgent: destination, destinationAgent: destination),
        faultPlace(
            in: .resume, at: .destination, when: .after, call: .request(.resume),
            sourceAgent: destination, destinationAgent: destination),
        faultPlace(
            in: .resume, at: .destination, when: .before, call: .message(.running),
            sourceAgent: destination, destinationAgent: destination),
        faultPlace(
            in: .announce, at: .destination, when: .after, call: .message(.running),
            sourceAgent: destination, destinationAgent: destination),
        faultPlace(
            in: .announce, at: .source, when: .before, call: .record(.handedOver),
            sourceAgent: destination, destinationAgent: destination),
        faultPlace(
            in: .announce, at: .source, when: .unflushed, call: .record(.handedOver),
            sourceAgent: destination, destinationAgent: destination),
        faultPlace(
            in: .cleanUp, at: .source, when: .after, call: .record(.handedOver),
            sourceAgent: destination, destinationAgent: destination),
        faultPlace(
            in: .cleanUp, at: .source, when: .before, call: .request(.quit),
            sourceAgent: destination, destinationAgent: destination),
        faultPlace(
            in: .cleanUp, at: .source, when: .after, call: .request(.quit),
            sourceAgent: destination, destinationAgent: destination),
    ]

    private static func faultPlace(
        in phase: MigrationPhase, at side: Side, when moment: FaultPoint.Moment, call: FaultCall,
        sourceAgent: Set<Side>, destinationAgent: Set<Side>
    ) -> Place {
        Place(
            phase: phase, point: FaultPoint(side: side, moment: moment, call: call),
            sourceAgent: sourceAgent, destinationAgent: destinationAgent,
            // What was released is the destination's as soon as it can have GO.
            owner: sourceAgent == source ? .source : .destination, hasDestinationVMM: true)
    }

    static let places: [Place] = early + beforeRelease + afterRelease

    // MARK: processes

    private static var kills: [Scenario] {
        places.flatMap { place in
            var all = [
                Scenario(
                    phase: place.phase, point: place.point, fault: .kill([.sourceAgent]),
                    owners: place.sourceAgent),
                Scenario(
                    phase: place.phase, point: place.point, fault: .kill([.destinationAgent]),
                    owners: place.destinationAgent),
                Scenario(
                    phase: place.phase, point: place.point, fault: .kill([.sourceVMM]),
                    mayLose: Set([.source]).intersection([place.owner])),
            ]
            if place.hasDestinationVMM {
                all.append(
                    Scenario(
                        phase: place.phase, point: place.point, fault: .kill([.destinationVMM]),
                        mayLose: Set([.destination]).intersection([place.owner])))
            }
            return all
        } + pairs + late
            + [throttledKill(of: .sourceAgent), throttledKill(of: .destinationAgent)]
    }

    /// Both agents at once, as when both hosts lose power but not their memory.
    private static var pairs: [Scenario] {
        places.filter { $0.phase >= .verify }.map {
            Scenario(
                phase: $0.phase, point: $0.point,
                fault: .kill([.sourceAgent, .destinationAgent]),
                owners: $0.sourceAgent.union($0.destinationAgent))
        }
    }

    /// The destination comes back only after the source has stopped asking.
    private static var late: [Scenario] {
        afterRelease.filter { $0.phase <= .resume }.map {
            Scenario(
                phase: $0.phase, point: $0.point, fault: .kill([.destinationAgent], late: true),
                owners: $0.destinationAgent)
        }
    }

    /// The guest is held back.
    static let throttled = FaultPoint(
        side: .source, moment: .after, call: .request(.throttle))

    private static func throttledKill(of victim: Victim) -> Scenario {
        Scenario(
            phase: .preCopy,
            point: throttled, fault: .kill([victim]), load: .restless, owners: source)
    }

    private static var freezes: [Scenario] {
        let preCopy = FaultPoint(side: .source, moment: .before, call: .frame, occurrence: 8)
        let handover = places.filter {
            [
                .message(.state), .message(.verify), .message(.ready), .record(.released),
                .message(.go), .record(.owned), .message(.running),
            ].contains($0.point.call) && $0.point.moment != .unflushed
        }
        return Victim.allCases.map {
            Scenario(
                phase: .preCopy, point: preCopy, fault: .freeze($0, .seconds($0.isAgent ? 12 : 3)))
        }
            + handover.flatMap { place in
                [Victim.sourceAgent, .destinationAgent].map {
                    Scenario(
                        phase: place.phase, point: place.point, fault: .freeze($0, .seconds(5)))
                }
            }
            + handover.filter { $0.point.moment == .before }.flatMap { place in
                [Victim.sourceVMM, .destinationVMM].map {
                    Scenario(
                        phase: place.phase, point: place.point, fault: .freeze($0, .seconds(2)))
                }
            }
    }
}
