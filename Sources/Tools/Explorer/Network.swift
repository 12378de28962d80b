// What is on its way between hosts: control connections, each with a queue in either direction, and ownership queries,
// each on a connection of its own, so that any of them may overtake any other.

import MigrationProtocol
package import Model
package import Ownership

/// What travels on a control connection, without what no decision depends on.
package enum ControlMessage: Hashable, Sendable {
    case offer(UInt8, Epoch, isRehearsal: Bool)
    case accepted
    case rehearse
    case rehearsed
    case verify
    case ready(isRight: Bool)
    case go(Epoch)
    case running(Epoch)
    case neverRan(Epoch)
    case refused(isHere: Bool)
}

/// A control connection. A cut breaks it, or a side that leaves it: then each side that still holds it notices in its
/// own time, and may or may not read first what had arrived.
struct Connection: Hashable, Sendable {
    let number: UInt8
    let source: Side
    var toDestination: [ControlMessage] = []
    var toSource: [ControlMessage] = []
    var isBroken = false
    var isHeldBySource = true
    var isHeldByDestination = true

    init(number: UInt8, source: Side) {
        self.number = number
        self.source = source
    }
}

/// A question or a notice on its way to a host and back.
package struct QueryInTransit: Hashable, Sendable {
    package enum Reply: Hashable, Sendable {
        case answer(OwnershipAnswer)
        case refused
    }

    enum Stage: Hashable, Sendable {
        /// On its way, or read and not looked up yet.
        case sent
        case stopping(LedgerRecord)
        case writing(LedgerRecord)
        case replied(Reply)
    }

    let body: OwnershipQuery
    let to: Side
    let isFromStranger: Bool
    var stage = Stage.sent
    /// The asking host still waits. Later the answer reaches no reader.
    var isAwaited: Bool

    init(body: OwnershipQuery, to side: Side, isFromStranger: Bool, isAwaited: Bool) {
        self.body = body
        to = side
        self.isFromStranger = isFromStranger
        self.isAwaited = isAwaited
    }

    var asker: HostName { isFromStranger ? FixedValues.stranger : to.other.name }
}

extension World {
    func findConnection(numbered number: UInt8?) -> Connection? {
        connections.first { $0.number == number }
    }

    /// A message leaves; it is lost when the connection is broken.
    mutating func sendMessage(_ message: ControlMessage, from side: Side, connection number: UInt8?)
    {
        guard let index = connections.firstIndex(where: { $0.number == number }),
            !connections[index].isBroken
        else { return }
        if connections[index].source == side {
            connections[index].toDestination.append(message)
        } else {
            connections[index].toSource.append(message)
        }
    }

    mutating func dequeueMessage(for side: Side, connection number: UInt8) -> ControlMessage? {
        guard let index = connections.firstIndex(where: { $0.number == number }) else { return nil }
        if connections[index].source == side {
            return connections[index].toSource.isEmpty
                ? nil : connections[index].toSource.removeFirst()
        }
        return connections[index].toDestination.isEmpty
            ? nil : connections[index].toDestination.removeFirst()
    }

    /// One side leaves the connection: the other notices in its own time.
    mutating func leaveConnection(numbered number: UInt8?, on side: Side) {
        guard let index = connections.firstIndex(where: { $0.number == number }) else { return }
        connections[index].isBroken = true
        if connections[index].source == side {
            connections[index].isHeldBySource = false
            connections[index].toSource = []
        } else {
            connections[index].isHeldByDestination = false
            // Where connections may be mixed up, a GO that was never read is not forgotten.
            if budget.allowsFault(.mixUp) {
                unreadMessages += connections[index].toDestination.filter(\.isGo)
            }
            connections[index].toDestination = []
        }
        if !connections[index].isHeldBySource, !connections[index].isHeldByDestination {
            connections.remove(at: index)
        }
    }

    var freeConnectionNumber: UInt8 {
        var number: UInt8 = 0
        while connections.contains(where: { $0.number == number }) { number += 1 }
        return number
    }

    /// One host asks the other: the network refuses at once (false), or the query is on its way.
    mutating func sendOwnershipQuery(_ query: OwnershipQuery, from side: Side) -> Bool {
        guard canReachPeer(of: side) else { return false }
        queries.append(
            QueryInTransit(body: query, to: side.other, isFromStranger: false, isAwaited: true))
        return true
    }

    func canReachPeer(of side: Side) -> Bool { hosts[side.other].isUp && !isPartitioned }

    /// The query that a host waits for.
    func awaitedQuery(of side: Side) -> Int? {
        queries.firstIndex { $0.isAwaited && $0.to == side.other && !$0.isFromStranger }
    }
}
