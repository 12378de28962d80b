// First fit without looking at every host: a tournament tree over hosts in their order.
//
// Each node holds the most free vCPUs and the most free memory of the hosts below it, so a subtree without room is
// passed over at once. Leaf i is host i; hosts that take no VMs have room -1.

struct FreeTree: Sendable {
    private struct Room: Sendable {
        var milliCPUs: Int
        var memoryBytes: Int

        static let none = Room(milliCPUs: -1, memoryBytes: -1)

        static func componentMaximum(of left: Room, with right: Room) -> Room {
            Room(
                milliCPUs: max(left.milliCPUs, right.milliCPUs),
                memoryBytes: max(left.memoryBytes, right.memoryBytes))
        }

        func isLargeEnough(for need: Resources) -> Bool {
            need.milliCPUs <= milliCPUs && need.memoryBytes <= memoryBytes
        }
    }

    /// Node 1 is the root, node n has children 2n and 2n + 1.
    private var nodes: [Room] = [.none, .none]
    private var leafCount = 1

    /// Sets a host's free room; nil: it takes nothing.
    mutating func updateFreeRoom(of host: HostIndex, to free: Resources?) {
        if host >= leafCount { growLeaves(toHold: host) }
        var node = leafCount + host
        nodes[node] =
            free.map { Room(milliCPUs: $0.milliCPUs, memoryBytes: $0.memoryBytes) } ?? .none
        while node > 1 {
            node /= 2
            nodes[node] = .componentMaximum(of: nodes[2 * node], with: nodes[2 * node + 1])
        }
    }

    private mutating func growLeaves(toHold host: HostIndex) {
        let leaves = nodes[leafCount...]
        let before = leafCount
        while leafCount <= host { leafCount *= 2 }
        nodes = Array(repeating: .none, count: 2 * leafCount)
        for (offset, leaf) in leaves.prefix(before).enumerated() {
            nodes[leafCount + offset] = leaf
        }
        for node in stride(from: leafCount - 1, through: 1, by: -1) {
            nodes[node] = .componentMaximum(of: nodes[2 * node], with: nodes[2 * node + 1])
        }
    }

    /// The first host with room for `need` that `admits`.
    func firstHost(fitting need: Resources, where admits: (HostIndex) -> Bool) -> HostIndex? {
        var node = 1
        while true {
            if nodes[node].isLargeEnough(for: need) {
                if node < leafCount {
                    node *= 2
                    continue
                }
                if admits(node - leafCount) { return node - leafCount }
            }
            // To the next subtree on the right: up while this is a right child, then across.
            while node & 1 == 1 {
                if node == 1 { return nil }
                node /= 2
            }
            node += 1
        }
    }
}
