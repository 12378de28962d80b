// The search: breadth first, so that the first violation is a shortest one; on two threads, with one result.
//
// States are expanded in batches. Both threads work out the successors of half a batch each, and look up which of them
// are known; then one thread numbers the new ones in order. So numbers, counts and traces do not depend on timing.

package import Host
import Model
import Synchronization

/// What was found.
package struct Finding: Sendable {
    package let violation: Violation
    /// The shortest way there, step by step.
    package let conversation: [String]
    /// Where everything stands at its end.
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
    package static func run(
        _ bounds: Bounds, plant: Plant? = nil, depthMax: Int = .max, statesMax: Int = 50_000_000,
        progress: (Exploration) -> Void = { _ in }
    ) throws(SystemError) -> Exploration {
        var search = Search(Rules(bounds: bounds, plant: plant))
        let start = Instant.now
        var result = Exploration()
        while !search.isOver, search.depth < depthMax, search.states < statesMax {
            try search.expandLevel()
            result.take(search, since: start)
            progress(result)
        }
        result.isComplete = search.isOver
        result.finding = search.finding
        result.take(search, since: start)
        return result
    }

    private mutating func take(_ search: Search, since start: Instant) {
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
        let fingerprint: Fingerprint
        /// Nil when the state was known before the batch.
        let world: World?
        let known: UInt32
        let violation: Violation?
        let isGoal: Bool
    }

    let steps: [Step]
    /// For each state of the part, where its steps end.
    let ends: [Int]

    init(_ worlds: ArraySlice<World>, _ rules: Rules, _ table: StateTable) {
        var steps: [Step] = []
        var ends: [Int] = []
        steps.reserveCapacity(worlds.count * 6)
        ends.reserveCapacity(worlds.count)
        var ordinal: UInt16 = 0
        let visit = Visit { kind, next, _ in
            let fingerprint = Fingerprint(next)
            let known = table.number(of: fingerprint)
            steps.append(
                Step(
                    ordinal: ordinal, isFair: kind == .fair, fingerprint: fingerprint,
                    world: known == nil ? next : nil, known: known ?? 0,
                    violation: known == nil ? next.violation(rules.bounds) : nil,
                    isGoal: known == nil && next.isGoal(rules.bounds)))
            ordinal += 1
        }
        for world in worlds {
            ordinal = 0
            world.successors(rules, visit)
            ends.append(steps.count)
        }
        self.steps = steps
        self.ends = ends
    }
}

/// Where a thread leaves what it worked out.
private final class Desk: Sendable {
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
        let world = World(rules.bounds)
        frontier = [world]
        _ = table.insert(Fingerprint(world))
        graph.add(parent: 0, ordinal: 0, isGoal: world.isGoal(rules.bounds))
    }

    mutating func expandLevel() throws(SystemError) {
        var first = 0
        while first < frontier.count, found == nil {
            let end = min(first + Self.batch, frontier.count)
            let base = states - frontier.count - next.count + first
            var parent = UInt32(base)
            for part in try expand(first..<end) {
                number(part, from: parent)
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
    private func expand(_ batch: Range<Int>) throws(SystemError) -> [Expansion] {
        let middle = batch.lowerBound + batch.count / 2
        let (rules, table, frontier) = (rules, table, frontier)
        guard batch.count >= 64 else { return [Expansion(frontier[batch], rules, table)] }
        let desk = Desk()
        let thread = try NamedThread(name: "ferry-explore") {
            let expansion = Expansion(frontier[middle..<batch.upperBound], rules, table)
            desk.expansion.withLock { $0 = expansion }
        }
        let first = Expansion(frontier[batch.lowerBound..<middle], rules, table)
        thread.join()
        guard let second = desk.expansion.withLock({ $0.take() }) else {
            preconditionFailure("a thread that was joined has left its part")
        }
        return [first, second]
    }

    private mutating func number(_ part: Expansion, from firstParent: UInt32) {
        var index = 0
        for (offset, end) in part.ends.enumerated() {
            let parent = firstParent + UInt32(offset)
            graph.beginSteps()
            while index < end {
                let step = part.steps[index]
                index += 1
                transitions += 1
                let number = step.world.map { add(step, $0, parent) } ?? step.known
                if step.isFair { graph.addFairStep(to: number) }
            }
        }
    }

    /// The number of a state that was new before its batch, and may be known by now.
    private mutating func add(_ step: Expansion.Step, _ world: World, _ parent: UInt32) -> UInt32 {
        let (number, isNew) = table.insert(step.fingerprint)
        guard isNew else { return number }
        graph.add(parent: parent, ordinal: step.ordinal, isGoal: step.isGoal)
        next.append(world)
        if found == nil, let violation = step.violation { found = (number, violation) }
        return number
    }

    // MARK: Telling

    /// The way to what was found, walked once more for its words.
    var finding: Finding? {
        guard let found else { return nil }
        var world = World(rules.bounds)
        var lines: [String] = []
        for ordinal in graph.path(to: found.state) {
            var position = 0
            var taken: (world: World, words: String)?
            let visit = Visit { _, next, words in
                if position == ordinal { taken = (next, words()) }
                position += 1
            }
            world.successors(rules, visit)
            guard let taken else { preconditionFailure("a step that was taken can be taken again") }
            world = taken.world
            lines.append(taken.words)
        }
        return Finding(
            violation: found.violation, conversation: lines, summary: world.summary)
    }
}
