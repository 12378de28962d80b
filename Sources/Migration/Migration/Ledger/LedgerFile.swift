// The ledger of a host: one append-only file of preallocated slots, one record per slot.
//
//   slot 0      "FERRYLDG", UInt32 version 1, UInt32 records that a compaction wrote: each replaces a VM's history
//   slot n      UInt32 CRC-32C of what follows, UInt32 n, UInt16 bytes of the record, the record, zeros
//   after them  zeros
//
// A slot is 128 bytes and never spans a disk sector, so a torn write damages only the last slot. The space is allocated
// in advance: an append writes into it and needs one fdatasync of data, without metadata, and a disk that becomes full
// later does not prevent a handover. When most slots are history, a compaction writes a new file with the current
// records.

import Glibc
import Host
package import Model
package import Ownership
import Synchronization
import Wire

/// The number of records in a ledger; a full ledger is compacted.
package struct LedgerUsage: Hashable, Sendable {
    package var slots: Int
    package var used: Int
}

/// Opens or creates the ledger at a path. Only one process can open it at a time (it is locked).
package final class LedgerFile: OwnershipLedger {
    private struct State {
        var file: Descriptor
        var book: LedgerTable
        /// The slot of the next record.
        var next: Int
        var slots: Int
    }

    private let path: String
    private let state: Mutex<State>

    package init(path: String) throws(LedgerError) {
        self.path = path
        let file = try LedgerSlots.openLedgerFile(path: path)
        let (book, next, slots) = try LedgerSlots.replayRecords(of: file, path: path)
        // The records that were read may not be on disk yet: a process may have been killed between write and flush.
        do { try checkedSystemCall(named: "fdatasync(\(path))") { fdatasync(file.number) } } catch {
            throw .failed(error)
        }
        state = Mutex(State(file: file, book: book, next: next, slots: slots))
    }

    package func appendRecord(_ record: LedgerRecord) throws(LedgerError) {
        // The lock is held during the write on purpose: a ledger is written one record at a time.
        try state.withLock { (state) throws(LedgerError) in
            var book = state.book
            do throws(LedgerContradiction) { try book.applyRecord(record) } catch {
                throw .contradicts(record, current: error.current)
            }
            // A record that the ledger already contains need not be written again.
            if book == state.book { return }
            if state.next == state.slots { try compactFile(of: &state) }
            try LedgerSlots.writeRecord(record, at: state.next, to: state.file)
            state.next += 1
            state.book = book
        }
    }

    package func measureWrite() throws(LedgerError) -> Duration {
        try state.withLock { (state) throws(LedgerError) in
            if state.next == state.slots { try compactFile(of: &state) }
            var best = Duration.seconds(60)
            for _ in 0..<Limits.ledgerMeasurements {
                let start = Instant.now
                try LedgerSlots.writeEmptySlot(at: state.next, to: state.file)
                best = min(best, Instant.now - start)
            }
            return best
        }
    }

    package func ownership(of vm: VMID) -> Ownership? {
        state.withLock { $0.book.ownerships[vm] }
    }

    /// Reads the whole file again. Throws if the content on disk differs from the state of this ledger.
    package func checkIntegrity() throws(LedgerError) -> LedgerUsage {
        try state.withLock { (state) throws(LedgerError) in
            let (book, next, slots) = try LedgerSlots.replayRecords(of: state.file, path: path)
            guard book == state.book, next == state.next else {
                throw .damaged(path: path, offset: next * LedgerSlots.slotBytes, nil)
            }
            guard LedgerSlots.isStillLinked(path: path, to: state.file) else {
                throw .replaced(path: path)
            }
            return LedgerUsage(slots: slots - 1, used: next - 1)
        }
    }

    package var ownerships: [VMID: Ownership] { state.withLock { $0.book.ownerships } }

    /// Writes a new file with one record per VM beside the old one, and renames it.
    private func compactFile(of state: inout State) throws(LedgerError) {
        let records = state.book.records
        let slots = max(LedgerSlots.slotsMin, (records.count + 1) * 2)
        let file = try LedgerSlots.createLedgerFile(
            path: path + ".new", slots: slots, compacted: records.count)
        for (index, record) in records.enumerated() {
            try LedgerSlots.writeRecord(record, at: index + 1, to: file, isDurable: false)
        }
        do {
            try checkedSystemCall(named: "fdatasync(\(path).new)") { fdatasync(file.number) }
            try checkedSystemCall(named: "rename(\(path).new)") {
                unsafe rename(path + ".new", path)
            }
            try LedgerSlots.syncFolder(containing: path)
        } catch { throw .failed(error) }
        state.file = file
        state.next = records.count + 1
        state.slots = slots
    }
}
