// Is a run of the real drivers among the paths that the explorer explores? If it is not, the explorer's model of a driver
// and the driver have parted.
//
// A run is given as what was seen at each host, in that host's order. The check searches a path whose steps show exactly
// that at both hosts and that ends where everything may stay. Steps that show nothing (faults of the network, timeouts)
// are tried as needed, few before many. Orders between hosts are not compared: messages give them.

package struct TraceCheck: Sendable {
    /// What was seen, by host.
    package var source: [Observation]
    package var destination: [Observation]
    package var bounds: Bounds
    package var bug: PlantedBug?

    package enum Result: Sendable {
        /// A path was found, of so many steps.
        case accepted(steps: Int)
        /// There is none. The text says how far the best one came.
        case rejected(String)
        /// The limit of states was reached first.
        case undecided(String)
    }

    package init(
        source: [Observation], destination: [Observation], bounds: Bounds, bug: PlantedBug? = nil
    ) {
        self.source = source
        self.destination = destination
        self.bounds = bounds
        self.bug = bug
    }

    /// - Parameters:
    ///   - faults: how many faults a path may have at least; then one more is allowed until `bounds` has no more.
    ///   - statesMax: for each such attempt.
    package func searchMatchingPath(faultsFrom faults: UInt8, statesMax: Int) -> Result {
        var last = Result.rejected("no attempt")
        var together = min(faults, bounds.faults.together)
        while true {
            var attempt = TraceSearch(self, together: together)
            last = attempt.searchDepthFirst(statesMax: statesMax)
            if case .rejected = last, together < bounds.faults.together {
                together += 1
            } else {
                return last
            }
        }
    }
}

private struct TraceSearch {
    private struct Node {
        let world: World
        let source: Int
        let destination: Int
        let depth: Int
    }

    private struct Key: Hashable {
        let fingerprint: Fingerprint
        let source: Int
        let destination: Int
    }

    private let check: TraceCheck
    private let rules: Rules
    private var open: [Node]
    private var known: Set<Key> = []
    private var best: Node

    init(_ check: TraceCheck, together: UInt8) {
        self.check = check
        var bounds = check.bounds
        bounds.faults.together = together
        rules = Rules(bounds: bounds, bug: check.bug)
        best = Node(world: World(bounds), source: 0, destination: 0, depth: 0)
        open = [best]
    }

    /// Depth first: what shows something is taken before what shows nothing, and a fault last.
    mutating func searchDepthFirst(statesMax: Int) -> TraceCheck.Result {
        while let node = open.popLast() {
            if node.source + node.destination > best.source + best.destination { best = node }
            if isAccepting(node) { return .accepted(steps: node.depth) }
            if known.count > statesMax { return .undecided(report) }
            let successors = successors(of: node)
            for preference in [2, 1, 0] {
                for successor in successors.reversed() where successor.preference == preference {
                    addOpenNode(successor.node)
                }
            }
        }
        return .rejected(report)
    }

    private func isAccepting(_ node: Node) -> Bool {
        node.source == check.source.count && node.destination == check.destination.count
            && node.world.isGoalState(within: rules.bounds)
    }

    private mutating func addOpenNode(_ node: Node) {
        var world = node.world
        let key = Key(
            fingerprint: Fingerprint(&world), source: node.source, destination: node.destination)
        guard known.insert(key).inserted else { return }
        open.append(
            Node(
                world: world, source: node.source, destination: node.destination,
                depth: node.depth))
    }

    private func successors(of node: Node) -> [(node: Node, preference: Int)] {
        var found: [(node: Node, preference: Int)] = []
        let steps = Steps(rules) { kind, next, _ in
            let atSource = node.world.observations(on: .s, until: next)
            let atDestination = node.world.observations(on: .d, until: next)
            guard next.violation == nil,
                let source = Self.matchObservations(atSource, in: check.source, from: node.source),
                let destination = Self.matchObservations(
                    atDestination, in: check.destination, from: node.destination)
            else { return }
            let isSilent = atSource.isEmpty && atDestination.isEmpty
            let successor = Node(
                world: next, source: source, destination: destination, depth: node.depth + 1)
            found.append((successor, isSilent ? (kind == .fair ? 1 : 2) : 0))
        }
        node.world.addSuccessors(to: steps)
        return found
    }

    /// How far the trace is after these observations; nil when it has others.
    ///
    /// A request may change a ferry-vmm that is killed before it answers. The driver cannot tell that from a request that
    /// came too late, so the condition just before the end may be left out.
    private static func matchObservations(
        _ seen: [Observation], in trace: [Observation], from index: Int
    ) -> Int? {
        let rest = trace.dropFirst(index)
        if rest.starts(with: seen) { return index + seen.count }
        guard seen.first == .guest(.none), case .guest? = rest.first,
            rest.dropFirst().starts(with: seen)
        else { return nil }
        return index + 1 + seen.count
    }

    private var report: String {
        func describeRest(of trace: [Observation], from index: Int) -> String {
            let seen = trace.prefix(index).suffix(3).map { "\($0)" }
            let next = trace.dropFirst(index).prefix(2).map { "\($0)" }
            return "after \(seen) comes \(next), \(index) of \(trace.count)"
        }
        return """
            \(known.count) states
            S: \(describeRest(of: check.source, from: best.source))
            D: \(describeRest(of: check.destination, from: best.destination))
            \(best.world.summary.joined(separator: "\n"))
            """
    }
}
