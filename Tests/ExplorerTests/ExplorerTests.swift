// Every order of steps and faults, within bounds; and the planted bugs that the search must find.

import Explorer
import Testing

@Suite("Explorer", .serialized)
struct ExplorerTests {
    @Test func `A million states of everything at once hold, and each can still end well`() throws {
        let full = try Exploration.exploreStates(within: Configuration.full.bounds)
        print("full: \(full.report)")
        #expect(full.finding == nil, "\(full.report)")
        #expect(full.isComplete)
        #expect(full.states >= 1_000_000)
        #expect(full.duration < .seconds(120))
    }

    @Test(arguments: [
        Configuration.small, .repeated, .parking, .operators, .stubborn, .strangers, .mixed,
    ])
    func `Narrower bounds with more of one kind hold as well`(
        _ configuration: Configuration
    ) throws {
        let exploration = try Exploration.exploreStates(within: configuration.bounds)
        #expect(exploration.finding == nil, "\(configuration.name): \(exploration.report)")
        #expect(exploration.isComplete)
    }

    @Test(arguments: PlantedBug.allCases)
    func `Each rule that is broken on purpose is found`(_ bug: PlantedBug) throws {
        let (bounds, violation) = bug.exposure
        let exploration = try Exploration.exploreStates(within: bounds, bug: bug)
        let finding = try #require(exploration.finding, "\(bug): \(exploration.report)")
        #expect(finding.violation == violation, "\(bug): \(exploration.report)")
        #expect(!finding.conversation.isEmpty)
    }

    @Test func `The same bounds give the same conversation`() throws {
        func conversation() throws -> [String]? {
            try Exploration.exploreStates(within: Configuration.small.bounds, bug: .resumeAfterGo)
                .finding?.conversation
        }
        let first = try #require(try conversation())
        #expect(try conversation() == first)
        #expect(first.last == "D  resumes the guest")
    }

    @Test func `A search that is cut short does not claim to be complete`() throws {
        let cut = try Exploration.exploreStates(within: Configuration.small.bounds, depthMax: 5)
        #expect(!cut.isComplete)
        #expect(cut.depth == 5)
        #expect(cut.report.hasSuffix("not complete: no violation so far"))
    }
}

extension PlantedBug {
    /// The bounds in which it shows, and the violation that it shows as.
    fileprivate var exposure: (Bounds, Violation) {
        switch self {
        case .resumeAfterGo, .silenceIsNo, .refusalIsNo, .forgottenFlush, .goBeforeReleased,
            .cancelAfterRelease, .forgottenSeal, .resumesAfterSeal, .adoptsReleased,
            .adoptsIncoming, .runsBeforeOwned, .runsWithoutGo, .unwrittenAnswer,
            .forgottenNeverRan:
            (Configuration.small.bounds, .twoRun)
        case .noEpochStep: (Configuration.small.bounds, .contradiction)
        case .abortWithoutResume: (Configuration.small.bounds, .sourceDoesNotRun)
        case .goOfAnyEpoch: (Configuration.mixed.bounds, .twoRun)
        case .answersStrangers: (Configuration.strangers.bounds, .stuck)
        case .overruledRunsOn: (Configuration.stubborn.bounds, .supersededRuns)
        case .takeoverWithoutFencing: (Self.oneFault(of: Configuration.takeovers), .twoRun)
        case .forgottenNotice: (Self.oneFault(of: Configuration.takeovers), .stuck)
        }
    }

    private static func oneFault(of configuration: Configuration) -> Bounds {
        var bounds = configuration.bounds
        bounds.faults.together = 1
        return bounds
    }
}
