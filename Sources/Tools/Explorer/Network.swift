// What is under way between hosts: control connections, each with a queue in either direction, and questions, each on
// a connection of its own, so that any may overtake any other.

import MigrationProtocol
import Model
import Ownership

/// What travels on a control connection, without what nobody decides by.
enum Word: Hashable, Sendable {
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

/// A control connection. Broken by a cut, or by a side that left: then each side that still holds it notices in its
/// own time, and may or may not read first what had arrived.
struct Connection: Hashable, Sendable {
    let number: UInt8
    let source: Side
    var toDestination: [Word] = []
    var toSource: [Word] = []
    var isBroken = false
    var isHeldBySource = true
    var isHeldByDestination = true
}

/// A question or a notice on its way to a host and back.
struct Inquiry: Hashable, Sendable {
    enum Body: Hashable, Sendable {
        case question(OwnershipQuestion)
        case notice(TakeoverNotice)
    }

    enum Reply: Hashable, Sendable {
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

    let body: Body
    let to: Side
    let isFromStranger: Bool
    var stage = Stage.sent
    /// The asker still waits. Later it is answered into the void.
    var isAwaited: Bool

    var asker: HostName { isFromStranger ? Cast.stranger : to.other.name }
}

extension World {
    func connection(_ number: UInt8?) -> Connection? {
        connections.first { $0.number == number }
    }

    /// A word goes out; into the void when the connection is broken.
    mutating func send(_ word: Word, from side: Side, on number: UInt8?) {
        guard let index = connections.firstIndex(where: { $0.number == number }),
            !connections[index].isBroken
        else { return }
        if connections[index].source == side {
            connections[index].toDestination.append(word)
        } else {
            connections[index].toSource.append(word)
        }
    }

    mutating func takeWord(for side: Side, on number: UInt8) -> Word? {
        guard let index = connections.firstIndex(where: { $0.number == number }) else { return nil }
        if connections[index].source == side {
            return connections[index].toSource.isEmpty
                ? nil : connections[index].toSource.removeFirst()
        }
        return connections[index].toDestination.isEmpty
            ? nil : connections[index].toDestination.removeFirst()
    }

    /// A side lets go: the other notices in its own time.
    mutating func leave(_ number: UInt8?, _ side: Side) {
        guard let index = connections.firstIndex(where: { $0.number == number }) else { return }
        connections[index].isBroken = true
        if connections[index].source == side {
            connections[index].isHeldBySource = false
            connections[index].toSource = []
        } else {
            connections[index].isHeldByDestination = false
            // Where connections may be mixed up, a GO that was never read is not forgotten.
            if budget.allows(.mixUp) {
                leftovers += connections[index].toDestination.filter(\.isGo)
            }
            connections[index].toDestination = []
        }
        if !connections[index].isHeldBySource, !connections[index].isHeldByDestination {
            connections.remove(at: index)
        }
    }

    var freeNumber: UInt8 {
        var number: UInt8 = 0
        while connections.contains(where: { $0.number == number }) { number += 1 }
        return number
    }

    /// What one host asks another: refused by the network at once, or under way.
    mutating func ask(_ body: Inquiry.Body, from side: Side) -> Bool {
        guard canReach(from: side) else { return false }
        inquiries.append(
            Inquiry(body: body, to: side.other, isFromStranger: false, isAwaited: true))
        return true
    }

    func canReach(from side: Side) -> Bool { hosts[side.other].isUp && !isPartitioned }

    /// The one that a host waits for.
    func awaitedInquiry(of side: Side) -> Int? {
        inquiries.firstIndex { $0.isAwaited && $0.to == side.other && !$0.isFromStranger }
    }
}
