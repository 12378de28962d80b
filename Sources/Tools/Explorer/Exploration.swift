// The search: breadth first, so that the first violation is a shortest one; on two threads, with one result.
//
// States are expanded in batches. Each thread computes the successors of half a batch, and looks up which of them
// are known; then one thread numbers the new ones in order. So numbers, counts and traces do not depend on timing.

package import Host
import Model
import Synchronization

/// What was found.
package struct Finding: Sendable {
    package let violation: Violation
    /// The shortest path to it, step by step.
    package let conversation: [String]
    /// The state of both hosts at its end.
    package let summary: [String]
}

package struct Exploration: Sendable {
    package private(set) var states = 0
    package private(set) var transitions = 0
    package private(set) var depth = 0
    package private(set) var duration = Duration.zero
    /// Nothing within the bounds was left out.
    package private(set) var isComplete = false
    package private(set) var finding: Finding?

    /// Explores every state within the bounds, until the first violation.
    ///
    /// - Parameters:
    ///   - statesMax: ends incomplete after so many.
    ///   - progress: called after each level.
    package static func exploreStates(
        within bounds: Bounds, bug: PlantedBug? = nil, depthMax: Int = .max,
        statesMax: Int = 50_000_000,
        progress: (_ soFar: Exploration) -> Void = { _ in }
    ) throws(SystemError) -> Exploration {
        var search = Search(Rules(bounds: bounds, bug: bug))
        let start = Instant.now
        var result = Exploration()
        while !search.isOver, search.depth < depthMax, search.states < statesMax {
            try search.expandLevel()
            result.recordProgress(of: search, since: start)
            progress(result)
        }
        result.isComplete = search.isOver
        result.finding = search.finding
        result.recordProgress(of: search, since: start)
        return result
    }

    private mutating func recordProgress(of search: Search, since start: Instant) {
        states = search.states
        transitions = search.transitions
        depth = search.depth
        duration = Instant.now - start
    }
}

/// The successors of a part of a batch.
private struct Expansion: Sendable {
    struct Step: Sendable {
        let ordinal: UInt16
        let isFair: Bool
        let target: Target
    }

    enum Target: Sendable {
        /// A state that was known before the batch.
        case known(UInt32)
        /// The index of one that was not.
        case new(Int)
    }

    struct State: Sendable {
        let fingerprint: Fingerprint
        let world: World
        let violation: Violation?
        let isGoal: Bool
    }

    let steps: [Step]
    let states: [State]
    /// For each state of the part, where its steps end.
    let ends: [Int]

    init(of worlds: ArraySlice<World>, rules: Rules, known table: StateTable) {
        var steps: [Step] = []
        var states: [State] = []
        var ends: [Int] = []
        steps.reserveCapacity(worlds.count * 6)
        ends.reserveCapacity(worlds.count)
        var ordinal: UInt16 = 0
        let collector = Steps(rules) { kind, next, _ in
            var world = next
            let fingerprint = Fingerprint(&world)
            let target: Target
            if let known = table.stateNumber(of: fingerprint) {
                target = .known(known)
            } else {
                target = .new(states.count)
                states.append(
                    State(
                        fingerprint: fingerprint, world: world,
                        violation: world.firstViolation(within: rules.bounds),
                        isGoal: world.isGoalState(within: rules.bounds)))
            }
            steps.append(Step(ordinal: ordinal, isFair: kind == .fair, target: target))
            ordinal += 1
        }
        for world in worlds {
            ordinal = 0
            world.addSuccessors(to: collector)
            ends.append(steps.count)
        }
        self.steps = steps
        self.states = states
        self.ends = ends
    }
}

/// Where a thread leaves its result.
private final class ThreadResult: Sendable {
    let expansion = Mutex<Expansion?>(nil)
}

private struct Search {
    private static let batch = 8192

    private let rules: Rules
    private let table = StateTable()
    private var graph = StateGraph()
    private var frontier: [World]
    private var next: [World] = []
    private(set) var depth = 0
    private(set) var transitions = 0
    private var found: (state: UInt32, violation: Violation)?

    var states: Int { graph.count }
    var isOver: Bool { frontier.isEmpty || found != nil }

    init(_ rules: Rules) {
        self.rules = rules
        var world = World(rules.bounds)
        _ = table.insertFingerprint(Fingerprint(&world))
        frontier = [world]
        graph.appendState(parent: 0, ordinal: 0, isGoal: world.isGoalState(within: rules.bounds))
    }

    mutating func expandLevel() throws(SystemError) {
        var first = 0
        while first < frontier.count, found == nil {
            let end = min(first + Self.batch, frontier.count)
            let base = states - frontier.count - next.count + first
            var parent = UInt32(base)
            for part in try expandBatch(indices: first..<end) {
                assignNumbers(to: part, firstParent: parent)
                parent += UInt32(part.ends.count)
            }
            first = end
        }
        frontier = next
        next = []
        if !frontier.isEmpty { depth += 1 }
        if frontier.isEmpty, found == nil, let stuck = graph.firstWithoutGoal() {
            found = (stuck, .stuck)
        }
    }

    /// Half of it on a thread of its own.
    private func expandBatch(indices batch: Range<Int>) throws(SystemError) -> [Expansion] {
        let middle = batch.lowerBound + batch.count / 2
        let (rules, table, frontier) = (rules, table, frontier)
        guard batch.count >= 64 else {
            return [Expansion(of: frontier[batch], rules: rules, known: table)]
        }
        let result = ThreadResult()
        let thread = try NamedThread(name: "ferry-explore") {
            let expansion = Expansion(
                of: frontier[middle..<batch.upperBound], rules: rules, known: table)
            result.expansion.withLock { $0 = expansion }
        }
        let first = Expansion(
            of: frontier[batch.lowerBound..<middle], rules: rules, known: table)
        thread.joinThread()
        guard let second = result.expansion.withLock({ $0.take() }) else {
            preconditionFailure("a thread that was joined has left its part")
        }
        return [first, second]
    }

    private mutating func assignNumbers(to part: Expansion, firstParent: UInt32) {
        var index = 0
        for (offset, end) in part.ends.enumerated() {
            let parent = firstParent + UInt32(offset)
            graph.beginSteps()
            while index < end {
                let step = part.steps[index]
                index += 1
                transitions += 1
                let number =
                    switch step.target {
                    case .known(let number): number
                    case .new(let state):
                        insertState(part.states[state], ordinal: step.ordinal, parent: parent)
                    }
                if step.isFair { graph.addFairStep(to: number) }
            }
        }
    }

    /// The number of a state that was new before its batch, and may be known by now.
    private mutating func insertState(
        _ state: Expansion.State, ordinal: UInt16, parent: UInt32
    ) -> UInt32 {
        let (number, isNew) = table.insertFingerprint(state.fingerprint)
        guard isNew else { return number }
        graph.appendState(parent: parent, ordinal: ordinal, isGoal: state.isGoal)
        next.append(state.world)
        if found == nil, let violation = state.violation { found = (number, violation) }
        return number
    }

    // MARK: Result

    /// The path to the violation, walked once more for its text.
    var finding: Finding? {
        guard let found else { return nil }
        var world = World(rules.bounds)
        var lines: [String] = []
        for ordinal in graph.shortestPath(to: found.state) {
            var position = 0
            var taken: (world: World, text: String)?
            let collector = Steps(rules) { _, next, description in
                if position == ordinal { taken = (next, description()) }
                position += 1
            }
            world.addSuccessors(to: collector)
            guard let taken else { preconditionFailure("a step that was taken can be taken again") }
            world = taken.world
            lines.append(taken.text)
        }
        return Finding(
            violation: found.violation, conversation: lines, summary: world.summary)
    }
}
