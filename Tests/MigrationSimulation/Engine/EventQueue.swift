// What will happen at which virtual time, the earliest first; at one time in the order in which it was planned.

struct PlannedEvent {
    enum Kind {
        /// Ends the wait of this number, if it still lasts.
        case timer(SimThread, wait: Int)
        case action(() -> Void)
    }

    let time: UInt64
    let order: Int
    let kind: Kind

    fileprivate func isBefore(_ other: PlannedEvent) -> Bool {
        time != other.time ? time < other.time : order < other.order
    }

    /// A timer whose wait is over changes nothing, not even the time.
    var isStale: Bool {
        if case .timer(let thread, let wait) = kind { thread.waitNumber != wait } else { false }
    }
}

/// A binary heap.
struct EventQueue {
    private var heap: [PlannedEvent] = []
    private var nextOrder = 0

    mutating func plan(at time: UInt64, _ kind: PlannedEvent.Kind) {
        heap.append(PlannedEvent(time: time, order: nextOrder, kind: kind))
        nextOrder += 1
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func nextTime() -> UInt64? {
        while let first = heap.first {
            if !first.isStale { return first.time }
            _ = popFirst()
        }
        return nil
    }

    mutating func popFirst() -> PlannedEvent? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if heap.isEmpty { return first }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [parent * 2 + 1, parent * 2 + 2]
            where child < heap.count && heap[child].isBefore(heap[least]) { least = child }
            if least == parent { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    mutating func removeAll() { heap = [] }
}
