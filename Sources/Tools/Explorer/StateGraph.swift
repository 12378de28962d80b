// How each state was first reached, and which states follow it by fair steps: for traces, and for the question whether a
// goal can still be reached.

struct StateGraph {
    /// For each state: its first predecessor, and as which of its successors it was reached.
    private var parents: [UInt32] = []
    private var ordinals: [UInt16] = []
    private var goals: [Bool] = []
    /// Fair steps, by the state that they start from.
    private var targets: [UInt32] = []
    private var starts: [Int] = []

    var count: Int { parents.count }

    mutating func appendState(parent: UInt32, ordinal: UInt16, isGoal: Bool) {
        parents.append(parent)
        ordinals.append(ordinal)
        goals.append(isGoal)
    }

    /// The steps that are added next belong to the next state. States come in the order of their numbers.
    mutating func beginSteps() { starts.append(targets.count) }

    mutating func addFairStep(to target: UInt32) { targets.append(target) }

    /// The path from the first state, as the place of each step among its state's successors.
    func shortestPath(to state: UInt32) -> [Int] {
        var path: [Int] = []
        var state = state
        while state != 0 {
            path.append(Int(ordinals[Int(state)]))
            state = parents[Int(state)]
        }
        return path.reversed()
    }

    /// The first state from which no sequence of fair steps leads to a goal. In a finite graph that is the same as a
    /// fair run that never reaches one.
    func firstWithoutGoal() -> UInt32? {
        let (sources, offsets) = reversedEdges()
        var reaches = goals
        var open = goals.indices.filter { goals[$0] }
        while let state = open.popLast() {
            for source in sources[offsets[state]..<offsets[state + 1]] where !reaches[Int(source)] {
                reaches[Int(source)] = true
                open.append(Int(source))
            }
        }
        return reaches.firstIndex(of: false).map { UInt32($0) }
    }

    /// For each state, the states that have a fair step to it.
    private func reversedEdges() -> (sources: [UInt32], offsets: [Int]) {
        var offsets = [Int](repeating: 0, count: count + 1)
        for target in targets { offsets[Int(target) + 1] += 1 }
        for index in 0..<count { offsets[index + 1] += offsets[index] }
        var sources = [UInt32](repeating: 0, count: targets.count)
        var next = offsets
        for (state, start) in starts.enumerated() {
            let end = state + 1 < starts.count ? starts[state + 1] : targets.count
            for target in targets[start..<end] {
                sources[next[Int(target)]] = UInt32(state)
                next[Int(target)] += 1
            }
        }
        return (sources, offsets)
    }
}
