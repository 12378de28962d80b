// What is still to happen, the earliest first: a binary heap of small values.
//
// Arrivals and departures are known from the start and stand in sorted arrays beside it (Run.swift merges the three), so
// the heap holds what a run itself sets going: a few entries, however many VMs there are.

import Placement

/// What happens first among things that happen at one moment: what ends makes room before anything new is asked for.
enum Rank: UInt8, Comparable {
    case departure
    /// The end of a move, of a wake-up, of an absence.
    case end
    case hostEvent
    /// After all host events of the moment: hosts that are drained together get one plan.
    case drainPlan
    case arrival
    case sample
    case round

    static func < (left: Rank, right: Rank) -> Bool { left.rawValue < right.rawValue }
}

struct Event {
    enum Kind {
        case moveEnds(move: Int, version: Int)
        case wakes(host: HostIndex, version: Int32)
        case returns(host: HostIndex, version: Int32)
        case drainPlan
        case hostEvent(Int)
        case sample
        case round
    }

    /// Nanoseconds since the run began.
    var time: Int64
    var kind: Kind
    /// Of its making: the order of equals.
    fileprivate(set) var sequence = 0

    var rank: Rank {
        switch kind {
        case .moveEnds, .wakes, .returns: .end
        case .drainPlan: .drainPlan
        case .hostEvent: .hostEvent
        case .sample: .sample
        case .round: .round
        }
    }

    fileprivate func isOrdered(before other: Event) -> Bool {
        if time != other.time { return time < other.time }
        let (rank, otherRank) = (rank, other.rank)
        return rank != otherRank ? rank < otherRank : sequence < other.sequence
    }
}

struct EventQueue {
    private var heap: [Event] = []
    private var made = 0

    var first: Event? { heap.first }

    mutating func scheduleEvent(_ kind: Event.Kind, at time: Int64) {
        made += 1
        heap.append(Event(time: time, kind: kind, sequence: made))
        var place = heap.count - 1
        while place > 0 {
            let parent = (place - 1) / 2
            guard heap[place].isOrdered(before: heap[parent]) else { break }
            heap.swapAt(place, parent)
            place = parent
        }
    }

    mutating func removeFirst() -> Event {
        heap.swapAt(0, heap.count - 1)
        let event = heap.removeLast()
        var place = 0
        while true {
            var least = place
            for child in (2 * place + 1)...(2 * place + 2)
            where child < heap.count && heap[child].isOrdered(before: heap[least]) { least = child }
            if least == place { return event }
            heap.swapAt(place, least)
            place = least
        }
    }
}
