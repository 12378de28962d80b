// A host's ledger as a crash sees it: what is durable, and what a failed write may have left behind.
//
// A write is one step here. A crash before it and one after it are both explored, and a crash in its middle cannot be
// told from one of the two: what the agent knew is gone with it.

import MigrationProtocol
import Model
import Ownership

struct HostLedger: Hashable, Sendable {
    enum Check: Hashable, Sendable {
        /// It says so already: nothing to write.
        case holds
        case allowed
        case contradiction
    }

    private(set) var ownership: Ownership?
    /// Records of failed writes that a later start may find.
    private(set) var tornRecords: [LedgerRecord] = []
    /// Only where the fsync is forgotten: what the disk says until then.
    private(set) var unflushed: [Ownership?] = []

    init(_ ownership: Ownership?) { self.ownership = ownership }

    /// By the rules of the product's ledger.
    func checkRecord(_ record: LedgerRecord) -> Check {
        var book = LedgerTable()
        if let ownership {
            book.restoreOwnership(from: LedgerRecord(vm: FixedValues.vm, establishing: ownership))
        }
        let before = book
        do throws(LedgerContradiction) { try book.applyRecord(record) } catch {
            return .contradiction
        }
        return book == before ? .holds : .allowed
    }

    /// The next slot holds it, whatever a failed write left there.
    mutating func writeRecord(_ record: LedgerRecord, isFlushed: Bool) {
        if !isFlushed { unflushed = [ownership] }
        ownership = Ownership(record)
        tornRecords = []
    }

    mutating func recordTornWrite(of record: LedgerRecord) {
        if !tornRecords.contains(record) { tornRecords.append(record) }
    }

    /// Every ledger that the next start may find.
    var afterCrash: [HostLedger] {
        [HostLedger(ownership)] + tornRecords.map { HostLedger(Ownership($0)) }
            + unflushed.map { HostLedger($0) }
    }
}
