// What is explored is what runs: every run of the real drivers must be among the explorer's paths.
//
// Each script runs the real drivers (source, destination, ownership query server, resolution, adoption) in the simulation.
// What is seen at the two hosts (records written, writes that failed, what the guests do, messages sent and received,
// questions and answers, ends of agents) must be a path of the explorer's model that ends at rest. FERRY_TRACE=n checks n
// random scenarios instead of a few.

import Explorer
import Foundation
import Migration
import MigrationSimulation
import Model
import Testing

/// One script, by name.
private struct Script: Sendable {
    let name: String
    let scenario: Scenario
}

@Suite("Explorer and drivers", .serialized)
struct ConformanceTests {
    @Test func `A migration without faults is a path of the explorer`() throws {
        try check([Script(name: "no fault", scenario: Scenario())])
    }

    @Test(arguments: SingleFault.allCases)
    fileprivate func `One fault at each moment is a path of the explorer`(_ fault: SingleFault)
        throws
    {
        try check(
            Scenario.moments.map { moment in
                Script(
                    name: "\(fault) at \(moment)",
                    scenario: Scenario(faults: [(.moment(moment, 1), fault.fault)]))
            })
    }

    @Test func `Migrations, rehearsals and a way back are paths of the explorer`() throws {
        try check([
            Script(name: "there and back", scenario: Scenario(rehearsals: [false, false])),
            Script(name: "rehearsal, migration", scenario: Scenario(rehearsals: [true, false])),
        ])
        try check(
            ["append incoming", "pauseForHandover", "saveState", "loadState"].flatMap { moment in
                [SingleFault.cut, .cancel, .sourceCrash, .destinationCrash].map { fault in
                    Script(
                        name: "\(fault) at \(moment) of a rehearsal",
                        scenario: Scenario(
                            rehearsals: [true, false],
                            faults: [(.moment(moment, 1), fault.fault)]))
                }
            })
    }

    @Test func `Faults one after the other are paths of the explorer`() throws {
        try check(
            Pair.all.map { pair in
                Script(name: pair.name, scenario: Scenario(questions: 1, faults: pair.faults))
            })
    }

    @Test func `Forced takeovers are paths of the explorer`() throws {
        try check(
            [0.5, 2, 8, 20].flatMap { pause in
                ["append released", "written released"].map { moment in
                    Script(
                        name: "takeover \(pause) s after power failed at \(moment)",
                        scenario: Scenario(
                            questions: 1,
                            faults: [
                                (.moment(moment, 1), .losePower(1, returnsAfter: .seconds(60))),
                                (
                                    .afterPrevious(.milliseconds(Int(pause * 1000))),
                                    .takeOver(0, vm: 0)
                                ),
                            ]))
                }
            })
    }

    @Test func `Random scenarios are paths of the explorer`() throws {
        let runs = ProcessInfo.processInfo.environment["FERRY_TRACE"].flatMap { UInt64($0) } ?? 100
        try check(
            (0..<runs).map { Script(name: "seed \($0)", scenario: Scenario(seed: $0)) },
            mayBeUndecided: true)
    }

    // MARK: The check can fail

    @Test(arguments: PlantedBug.allCases.filter { $0.exposure != nil })
    func `A model that differs from the drivers is rejected`(_ bug: PlantedBug) throws {
        let (scenario, faults) = try #require(bug.exposure)
        let record = try #require(try Simulation.run(scenario).record)
        var bounds = Bounds(of: scenario, seen: record)
        bounds.faults = faults
        let same = TraceCheck(record, bounds: bounds).searchMatchingPath(
            faultsFrom: 0, statesMax: 100_000)
        guard case .accepted = same else {
            Issue.record("without \(bug) the script is no path: \(same)")
            return
        }
        let other = TraceCheck(record, bounds: bounds, bug: bug)
            .searchMatchingPath(faultsFrom: 0, statesMax: 100_000)
        guard case .rejected = other else {
            Issue.record("the explorer's path with \(bug) passes for one of the drivers: \(other)")
            return
        }
    }

    @Test(arguments: [Plant.forgetsToSeal, .runsWhenLoaded])
    func `Drivers that differ from the model are rejected`(_ plant: Plant) throws {
        let run = try Simulation.run(Scenario(), plant: plant)
        let record = try #require(run.record)
        let check = TraceCheck(record, bounds: Bounds(of: Scenario(), seen: record))
        guard case .rejected = check.searchMatchingPath(faultsFrom: 0, statesMax: 100_000) else {
            Issue.record("drivers with \(plant) pass")
            return
        }
    }

    // MARK: Checks

    private func check(_ scripts: [Script], mayBeUndecided: Bool = false) throws {
        var (accepted, skipped, undecided, steps) = (0, 0, 0, 0)
        for script in scripts {
            switch try outcome(of: script) {
            case .accepted(let count):
                accepted += 1
                steps += count
            case .rejected(let text): Issue.record("\(script.name): no such path: \(text)")
            case .undecided(let text):
                undecided += 1
                print("\(script.name): undecided: \(text)")
                if !mayBeUndecided { Issue.record("\(script.name): undecided: \(text)") }
            case nil: skipped += 1
            }
        }
        print(
            "\(scripts.first?.name ?? "") …: \(accepted) accepted with \(steps) steps, \(undecided) undecided, \(skipped) not covered"
        )
        #expect(accepted > 0)
    }

    /// Nil when the explorer's model does not cover the script.
    private func outcome(of script: Script) throws -> TraceCheck.Result? {
        let run = try Simulation.run(script.scenario)
        if let failure = run.failure { Issue.record("\(script.name): \(failure)") }
        guard let record = run.record, record.isComplete else { return nil }
        let bounds = Bounds(of: script.scenario, seen: record)
        return TraceCheck(record, bounds: bounds).searchMatchingPath(
            faultsFrom: record.faultsAtLeast, statesMax: 60_000)
    }
}

extension TraceCheck {
    fileprivate init(_ record: RunRecord, bounds: Bounds, bug: PlantedBug? = nil) {
        self.init(
            source: record.source, destination: record.destination, bounds: bounds, bug: bug)
    }
}

extension RunRecord {
    fileprivate var all: [Observation] { source + destination }

    fileprivate var failedWrites: Int { all.count { $0 == .writeFailed } }

    fileprivate var ends: Int {
        all.count { if case .agentEnded = $0 { true } else { false } }
    }

    /// Faults that were seen.
    fileprivate var faultsAtLeast: UInt8 { UInt8(min(7, failedWrites + ends)) }
}

extension Bounds {
    /// What may happen in a run of this scenario that was seen so.
    fileprivate init(of scenario: Scenario, seen record: RunRecord) {
        self.init()
        migrations = UInt8(record.migrations)
        movesBack = true
        rehearses = scenario.moves.contains(where: \.isRehearsal)
        parks = true
        reconnects = scenario.timing.reconnectsMax
        questions = scenario.timing.questionsMax
        var each: [Explorer.Fault: UInt8] = [:]
        if !scenario.faults.isEmpty {
            each = [.cut: 3, .impatience: 4, .loss: 4, .stream: 2, .partition: 3]
        }
        each[.disk] = UInt8(min(7, record.failedWrites))
        each[.agentCrash] = UInt8(min(7, record.ends))
        for (_, fault) in scenario.faults {
            switch fault {
            case .losePower:
                each[.hostOff, default: 0] += 1
                each[.hostReturn, default: 0] += 1
            case .killVMM: each[.processKill, default: 0] += 1
            case .cancel: each[.cancel, default: 0] += 1
            case .takeOver: each[.forcedTakeover, default: 0] += 1
            default: break
            }
        }
        faults = Faults(together: 7, each: each)
    }
}

/// A fault that a script has at one moment.
private enum SingleFault: String, CaseIterable, Sendable {
    case cut, partition, shortPartition, stall, cancel
    case sourceCrash, destinationCrash, sourcePower, destinationPower
    case sourceDisk, destinationDisk, sourceKill, destinationKill

    var fault: MigrationSimulation.Fault {
        switch self {
        case .cut: .cut(0, 1)
        case .partition:
            .partition(0, 1, bothWays: true, lasts: .seconds(60), resets: true)
        case .shortPartition:
            .partition(0, 1, bothWays: true, lasts: .seconds(2), resets: false)
        case .stall: .stall(0, 1, lasts: .seconds(40))
        case .cancel: .cancel(vm: 0)
        case .sourceCrash: .crashAgent(0, restartsAfter: .seconds(2))
        case .destinationCrash: .crashAgent(1, restartsAfter: .seconds(2))
        case .sourcePower: .losePower(0, returnsAfter: .seconds(20))
        case .destinationPower: .losePower(1, returnsAfter: .seconds(20))
        case .sourceDisk: .diskFails(0, lasts: .seconds(5))
        case .destinationDisk: .diskFails(1, lasts: .seconds(5))
        case .sourceKill: .killVMM(host: 0, vm: 0)
        case .destinationKill: .killVMM(host: 1, vm: 0)
        }
    }
}

/// Two faults, the second a while after the first.
private struct Pair {
    let name: String
    let faults: [(trigger: Trigger, fault: MigrationSimulation.Fault)]

    private init(
        _ first: SingleFault, at moment: String, then second: SingleFault, after pause: Duration
    ) {
        name = "\(first) at \(moment), \(second) \(pause) later"
        faults = [(.moment(moment, 1), first.fault), (.afterPrevious(pause), second.fault)]
    }

    static var all: [Pair] {
        let moments = ["clearDirtyLog", "append released", "append owned", "append handedOver"]
        let firsts = [SingleFault.cut, .partition, .destinationCrash, .destinationDisk]
        let seconds = [SingleFault.sourceCrash, .destinationCrash, .sourceDisk]
        return moments.flatMap { moment in
            firsts.flatMap { first in
                seconds.map { Pair(first, at: moment, then: $0, after: .milliseconds(700)) }
            }
        }
    }
}

extension PlantedBug {
    /// A script in which the drivers act differently from the explorer with this bug, and the faults that a path of it has;
    /// nil for a bug that no short script exposes. (`silenceIsNo` is one: the explorer has no clock, so that in a path of it
    /// the answer may always come before the source gives up.)
    fileprivate var exposure: (scenario: Scenario, faults: Faults)? {
        switch self {
        case .goBeforeReleased, .forgottenSeal, .runsBeforeOwned, .runsWithoutGo:
            (Scenario(), Faults(together: 0, each: [:]))
        case .resumeAfterGo, .noEpochStep:
            Self.exposure(.cut, at: "written released", faults: [.cut: 1])
        case .abortWithoutResume:
            Self.exposure(.sourceDisk, at: "append released", faults: [.disk: 1])
        case .adoptsReleased:
            Self.exposure(.sourceCrash, at: "written released", faults: [.agentCrash: 1])
        case .adoptsIncoming:
            Self.exposure(.destinationCrash, at: "append owned", faults: [.agentCrash: 1])
        case .unwrittenAnswer:
            (
                Scenario(faults: [
                    (.moment("written released", 1), .diskFails(1, lasts: .milliseconds(300))),
                    (.afterPrevious(.zero), .cut(0, 1)),
                ]), Faults(together: 3, each: [.cut: 1, .disk: 2])
            )
        default: nil
        }
    }

    private static func exposure(
        _ fault: SingleFault, at moment: String, faults: [Explorer.Fault: UInt8]
    ) -> (scenario: Scenario, faults: Faults) {
        (
            Scenario(faults: [(.moment(moment, 1), fault.fault)]),
            Faults(together: 1, each: faults)
        )
    }
}
