// A ledger in memory, with failures on request.

import Host
package import Migration
package import Model
package import Ownership
import Synchronization

/// Keeps records in a book. `onAppend` sees each record first and may refuse it.
package final class MemoryLedger: OwnershipLedger {
    private struct State {
        var book = LedgerTable()
        var records: [LedgerRecord] = []
    }

    private let state = Mutex(State())
    private let onAppend: @Sendable (LedgerRecord) throws(LedgerError) -> Void

    package init(
        _ records: [LedgerRecord] = [],
        onAppend: @escaping @Sendable (LedgerRecord) throws(LedgerError) -> Void = { _ in }
    ) {
        self.onAppend = onAppend
        state.withLock {
            for record in records { $0.book.restoreOwnership(from: record) }
        }
    }

    package func appendRecord(_ record: LedgerRecord) throws(LedgerError) {
        try onAppend(record)
        try state.withLock { (state) throws(LedgerError) in
            do throws(LedgerContradiction) { try state.book.applyRecord(record) } catch {
                throw .contradicts(record, current: error.current)
            }
            state.records.append(record)
        }
    }

    package func measureWrite() -> Duration { .zero }

    package func ownership(of vm: VMID) -> Ownership? {
        state.withLock { $0.book.ownerships[vm] }
    }

    package var ownerships: [VMID: Ownership] { state.withLock { $0.book.ownerships } }
    package var records: [LedgerRecord] { state.withLock { $0.records } }
}
