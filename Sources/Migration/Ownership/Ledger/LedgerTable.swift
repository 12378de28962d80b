// The ownership of each VM after all records of a ledger, and the permitted order of records.
//
//            created, restored
//   (nothing) ───────────────▶ owned(e) ──────▶ released(e+1) ──────▶ handedOver(e+1)
//       │                       ▲   ▲               │                       │
//       │                       │   └───────────────┘                       │
//       │                 GO    │     owned(e+2): the other never ran       │
//       ├──────▶ incoming(e+1) ─┘                                           │
//       │          │     ▲  ▲                                               │
//       │          ▼     │  └───────────────────────────────────────────────┘
//       └──────▶ neverRan(e+1)                                        returns later
//
//   owned(e) ──▶ deleted(e)
//
//   released(e+1) ──takeover──▶ takenOver(e+2) ──the other host knows, or will never return──▶ owned(e+2)
//   owned or incoming(e+1) ──notice──▶ superseded(e+2)
//
// The table makes two answers about one epoch impossible: `neverRan` and `owned` exclude each other, because every
// record is checked here before it is appended, one at a time.

package import Model

/// A record that must not follow the existing records.
package struct LedgerContradiction: Error, Hashable, Sendable {
    package let record: LedgerRecord
    package let current: Ownership?
}

/// The ownership of every VM in a ledger. A value: replaying the records restores it.
package struct LedgerTable: Hashable, Sendable {
    package private(set) var ownerships: [VMID: Ownership] = [:]

    package init() {}

    /// Applies a record, or throws and leaves the table unchanged.
    package mutating func applyRecord(_ record: LedgerRecord) throws(LedgerContradiction) {
        let current = ownerships[record.vm]
        guard Self.isRecordAllowed(record, after: current) else {
            throw LedgerContradiction(record: record, current: current)
        }
        ownerships[record.vm] = Ownership(record)
    }

    /// Applies a record that replaces the whole history of its VM; a compacted ledger begins with such records.
    package mutating func restoreOwnership(from record: LedgerRecord) {
        ownerships[record.vm] = Ownership(record)
    }

    private static func isRecordAllowed(_ record: LedgerRecord, after current: Ownership?) -> Bool {
        if let current, current == Ownership(record) { return true }
        return switch record {
        case .owned(_, let epoch, nil): mayBeOwned(inEpoch: epoch, after: current)
        case .owned(_, let epoch, let migration?):
            isIncoming(inEpoch: epoch, migration: migration, after: current)
        case .released(_, let epoch, _, _):
            if case .owned(let owned, _) = current { epoch == owned.next } else { false }
        case .handedOver(_, let epoch, let host, let migration):
            if case .released(let released, host, migration) = current {
                epoch >= released
            } else {
                false
            }
        case .incoming(_, let epoch, _, let migration):
            mayArrive(inEpoch: epoch, migration: migration, after: current)
        case .neverRan(_, let epoch, let migration):
            isIncoming(inEpoch: epoch, migration: migration, after: current)
                || mayArrive(inEpoch: epoch, migration: migration, after: current)
        case .takenOver(_, let epoch, let host, let migration):
            if case .released(let released, host, migration) = current {
                epoch == released.next
            } else {
                false
            }
        case .superseded(_, let epoch, _): maySupersede(inEpoch: epoch, after: current)
        case .deleted(_, let epoch): mayBeDeleted(inEpoch: epoch, after: current)
        }
    }

    /// Created, restored after deletion, taken back, or confirmed after a forced takeover.
    private static func mayBeOwned(inEpoch epoch: Epoch, after current: Ownership?) -> Bool {
        switch current {
        case nil: true
        case .deleted(let last): epoch > last
        case .released(let released, _, _): epoch == released.next
        case .takenOver(let taken, _, _): epoch == taken
        case .owned, .handedOver, .superseded, .incoming, .neverRan: false
        }
    }

    private static func isIncoming(
        inEpoch epoch: Epoch, migration: MigrationID, after current: Ownership?
    ) -> Bool {
        if case .incoming(epoch, _, migration) = current { true } else { false }
    }

    /// Another host offers the VM, or asks about it, in an epoch that is later than the one in this ledger.
    private static func mayArrive(
        inEpoch epoch: Epoch, migration: MigrationID, after current: Ownership?
    ) -> Bool {
        switch current {
        case nil: true
        case .owned, .released, .takenOver: false
        case .handedOver(let last, _, _), .superseded(let last, _), .deleted(let last): epoch > last
        // An attempt failed before GO: the source still owns the previous epoch, and tries again.
        case .neverRan(let last, let other), .incoming(let last, _, let other):
            epoch > last || (epoch == last && migration != other)
        }
    }

    /// Only a VM that could run here needs a record that forbids it.
    private static func maySupersede(inEpoch epoch: Epoch, after current: Ownership?) -> Bool {
        switch current {
        case .owned(let last, _), .incoming(let last, _, _): epoch > last
        case nil, .released, .handedOver, .takenOver, .superseded, .neverRan, .deleted: false
        }
    }

    private static func mayBeDeleted(inEpoch epoch: Epoch, after current: Ownership?) -> Bool {
        switch current {
        case .owned(let last, _), .handedOver(let last, _, _), .superseded(let last, _),
            .neverRan(let last, _):
            epoch == last
        case nil, .released, .takenOver, .incoming, .deleted: false
        }
    }
}

extension LedgerTable {
    /// One record per VM, in the order of the VMs' identifiers; together they restore this table.
    package var records: [LedgerRecord] {
        ownerships.sorted { ($0.key.high, $0.key.low) < ($1.key.high, $1.key.low) }
            .map { vm, ownership in LedgerRecord(vm: vm, establishing: ownership) }
    }
}
