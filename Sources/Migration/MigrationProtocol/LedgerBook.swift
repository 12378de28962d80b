// What the records of a ledger add up to, and which record may follow which.
//
//            created, restored
//   (nothing) ───────────────▶ owned(e) ──────▶ released(e+1) ──────▶ handedOver(e+1)
//       │                       ▲   ▲               │                       │
//       │                       │   └───────────────┘                       │
//       │                 GO    │     owned(e+2): the other never ran       │
//       ├──────▶ incoming(e+1) ─┘                                           │
//       │          │     ▲  ▲                                               │
//       │          ▼     │  └───────────────────────────────────────────────┘
//       └──────▶ neverRan(e+1)                                        comes back later
//
//   owned(e) ──▶ deleted(e)
//
//   released(e+1) ──takeover──▶ takenOver(e+2) ──the other knows, or is gone for good──▶ owned(e+2)
//   owned or incoming(e+1) ──notice──▶ superseded(e+2)
//
// The book is what makes two answers about one epoch impossible: `neverRan` and `owned` exclude each other,
// whoever asks first, because one append after the other passes through here.

package import Model

/// A record that must not follow what is written.
package struct LedgerContradiction: Error, Hashable, Sendable {
    package let record: LedgerRecord
    package let current: Ownership?
}

/// The ownership of every VM that a ledger knows. A value: replaying records gives it back.
package struct LedgerBook: Hashable, Sendable {
    package private(set) var ownerships: [VMID: Ownership] = [:]

    package init() {}

    /// Takes a record, or throws and stays as it was.
    package mutating func apply(_ record: LedgerRecord) throws(LedgerContradiction) {
        let current = ownerships[record.vm]
        guard Self.may(record, follow: current) else {
            throw LedgerContradiction(record: record, current: current)
        }
        ownerships[record.vm] = Ownership(record)
    }

    /// Takes a record that stands for the whole history of its VM, as a compacted ledger begins with.
    package mutating func restore(_ record: LedgerRecord) {
        ownerships[record.vm] = Ownership(record)
    }

    private static func may(_ record: LedgerRecord, follow current: Ownership?) -> Bool {
        if let current, current == Ownership(record) { return true }
        return switch record {
        case .owned(_, let epoch, nil): mayBeOwned(epoch, after: current)
        case .owned(_, let epoch, let migration?):
            isIncoming(current, epoch, migration)
        case .released(_, let epoch, _, _):
            if case .owned(let owned, _) = current { epoch == owned.next } else { false }
        case .handedOver(_, let epoch, let host, let migration):
            if case .released(let released, host, migration) = current {
                epoch >= released
            } else {
                false
            }
        case .incoming(_, let epoch, _, let migration):
            mayArrive(epoch, migration, after: current)
        case .neverRan(_, let epoch, let migration):
            isIncoming(current, epoch, migration) || mayArrive(epoch, migration, after: current)
        case .takenOver(_, let epoch, let host, let migration):
            if case .released(let released, host, migration) = current {
                epoch == released.next
            } else {
                false
            }
        case .superseded(_, let epoch, _): maySupersede(epoch, after: current)
        case .deleted(_, let epoch): mayBeDeleted(epoch, after: current)
        }
    }

    /// Created, restored after it was deleted, taken back, or no longer in doubt after a forced takeover.
    private static func mayBeOwned(_ epoch: Epoch, after current: Ownership?) -> Bool {
        switch current {
        case nil: true
        case .deleted(let last): epoch > last
        case .released(let released, _, _): epoch == released.next
        case .takenOver(let taken, _, _): epoch == taken
        case .owned, .handedOver, .superseded, .incoming, .neverRan: false
        }
    }

    private static func isIncoming(
        _ current: Ownership?, _ epoch: Epoch, _ migration: MigrationID
    ) -> Bool {
        if case .incoming(epoch, _, migration) = current { true } else { false }
    }

    /// Another host offers the VM, or asks after it, in an epoch that is news here.
    private static func mayArrive(
        _ epoch: Epoch, _ migration: MigrationID, after current: Ownership?
    ) -> Bool {
        switch current {
        case nil: true
        case .owned, .released, .takenOver: false
        case .handedOver(let last, _, _), .superseded(let last, _), .deleted(let last): epoch > last
        // An attempt that failed before GO: the source still owns the epoch before, and tries again.
        case .neverRan(let last, let other), .incoming(let last, _, let other):
            epoch > last || (epoch == last && migration != other)
        }
    }

    /// Only what could run here needs to be told not to.
    private static func maySupersede(_ epoch: Epoch, after current: Ownership?) -> Bool {
        switch current {
        case .owned(let last, _), .incoming(let last, _, _): epoch > last
        case nil, .released, .handedOver, .takenOver, .superseded, .neverRan, .deleted: false
        }
    }

    private static func mayBeDeleted(_ epoch: Epoch, after current: Ownership?) -> Bool {
        switch current {
        case .owned(let last, _), .handedOver(let last, _, _), .superseded(let last, _),
            .neverRan(let last, _):
            epoch == last
        case nil, .released, .takenOver, .incoming, .deleted: false
        }
    }
}
