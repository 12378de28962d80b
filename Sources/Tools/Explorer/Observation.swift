// What can be seen of a host from outside its drivers: the terms in which a run of the real drivers and a path of the
// explorer are compared.

package import MigrationProtocol
import Model
package import Ownership
package import VMControl

/// What the VM's ferry-vmm on a host is doing.
package enum GuestCondition: Hashable, Sendable {
    case none
    case incoming
    case running
    case paused
    /// Paused, and only a request lets it run.
    case sealed
}

/// One thing that happened at one host, in the explorer's names.
package enum Observation: Hashable, Sendable {
    /// The ledger says this from now on.
    case wrote(LedgerRecord)
    case writeFailed
    case guest(GuestCondition)
    /// On a control connection that is not broken and whose other end is open.
    case sent(ControlMessage)
    case received(ControlMessage)
    /// A query was sent on a connection of its own.
    case asked(OwnershipQuery)
    /// A query was answered, and the asking host still waits.
    case answered(QueryInTransit.Reply)
    /// The agent has ended. The next one finds a ledger that says this.
    case agentEnded(Ownership?)
}

extension World {
    /// What of the step from this state to `next` can be seen at `side`, in order.
    func observations(on side: Side, until next: World) -> [Observation] {
        let (before, after) = (hosts[side], next.hosts[side])
        let hasEnded = before.agent != .down && after.agent == .down
        var seen: [Observation] = []
        if before.guestCondition != after.guestCondition {
            seen.append(.guest(after.guestCondition))
        }
        if !hasEnded { seen += ledgerObservations(on: side, until: next) }
        seen += messageObservations(on: side, until: next)
        seen += queryObservations(on: side, until: next)
        if hasEnded { seen.append(.agentEnded(after.ledger.ownership)) }
        return seen
    }

    private func ledgerObservations(on side: Side, until next: World) -> [Observation] {
        let (before, after) = (hosts[side].ledger, next.hosts[side].ledger)
        if let ownership = after.ownership, ownership != before.ownership {
            return [.wrote(LedgerRecord(vm: FixedValues.vm, establishing: ownership))]
        }
        return next.budget.remainingCount(of: .disk) < budget.remainingCount(of: .disk)
            && side == sideOfFailedWrite(until: next) ? [.writeFailed] : []
    }

    private func sideOfFailedWrite(until next: World) -> Side? {
        if let side = Side.allCases.first(where: { hosts[$0] != next.hosts[$0] }) { return side }
        return zip(queries, next.queries).first { $0 != $1 }?.0.to
    }

    private func messageObservations(on side: Side, until next: World) -> [Observation] {
        connections.flatMap { before -> [Observation] in
            guard let after = next.findConnection(numbered: before.number) else { return [] }
            let isSource = before.source == side
            let (out, outAfter) =
                isSource
                ? (before.toDestination, after.toDestination) : (before.toSource, after.toSource)
            let (input, inputAfter) =
                isSource
                ? (before.toSource, after.toSource) : (before.toDestination, after.toDestination)
            let isHeld = isSource ? after.isHeldBySource : after.isHeldByDestination
            var seen: [Observation] = []
            if isHeld, let first = input.first, Array(input.dropFirst()) == inputAfter {
                seen.append(.received(first))
            }
            if outAfter.count > out.count, let last = outAfter.last { seen.append(.sent(last)) }
            return seen
        }
    }

    private func queryObservations(on side: Side, until next: World) -> [Observation] {
        if next.queries.count > queries.count {
            guard let new = next.queries.last, !new.isFromStranger, new.to != side else {
                return []
            }
            return [.asked(new.body)]
        }
        guard next.queries.count == queries.count else { return [] }
        return zip(queries, next.queries).compactMap { before, after in
            guard after.to == side, before.stage != after.stage,
                case .replied(let reply) = after.stage
            else { return nil }
            return .answered(reply)
        }
    }
}

extension HostState {
    fileprivate var guestCondition: GuestCondition {
        guard let process else { return .none }
        return GuestCondition(process.lifecycle)
    }
}

extension GuestCondition {
    package init(_ lifecycle: Lifecycle) {
        self =
            switch lifecycle.state {
            case .incoming: .incoming
            case .running: .running
            case .paused: lifecycle.isSealed ? .sealed : .paused
            case .stopped, .failed: .none
            }
    }
}
