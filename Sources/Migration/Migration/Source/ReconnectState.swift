// What a source must remember when its connection is lost.

import Host
import Model
import PageCodec

/// The pages that have to be copied again after a loss, and the progress of the reconnect. For the driver's thread.
struct ReconnectState {
    /// Pages that the next round copies even if the log does not contain them.
    private let carried: PageSet
    /// Hashes of what was sent last, on lost connections; nil before the first loss.
    private var sent: PageHashTable?
    /// Hashes of what the destination has, as of the lost connection.
    private(set) var table: PageHashTable?
    /// When the connection was lost; nil while connected.
    private var lostAt: Instant?
    /// This attempt to reconnect has already changed the migration's identifier.
    private(set) var isRenamed = false

    init(pageCount: Int) { carried = PageSet(pageCount: pageCount) }

    var isReconnecting: Bool { lostAt != nil }

    /// Returns the time of the loss: now, unless an earlier attempt has recorded it.
    mutating func recordLoss(at now: Instant) -> Instant {
        let since = lostAt ?? now
        lostAt = since
        return since
    }

    /// The pages of the interrupted round are copied again.
    func retainRound(of guest: any SourceGuest) {
        // The guest owns the bitmap and outlives this call.
        carried.formUnion(
            with: unsafe DirtyBits(base: guest.dirtyBits.base, pageCount: guest.layout.pageCount))
    }

    /// The streams have been stopped: retains their hashes and pages.
    mutating func retainPages(of streams: SourceStreams) {
        sent = streams.pages.sent ?? streams.pages.table
        table = streams.pages.table
    }

    mutating func markRenamed() { isRenamed = true }

    mutating func markReconnected() {
        lostAt = nil
        isRenamed = false
    }

    /// The tables and pages for new streams.
    ///
    /// - Parameter table: the hashes of what the destination has.
    func makePages(of guest: any SourceGuest, table: PageHashTable, seed: UInt64) -> SourcePages {
        if let sent { carried.insertDifferences(of: sent, from: table) }
        // The guest owns the bitmap and outlives the streams.
        let bits = unsafe DirtyBits(
            base: guest.dirtyBits.base, pageCount: guest.layout.pageCount, others: carried)
        return SourcePages(bits: bits, table: table, seed: seed, sent: sent)
    }

    /// Whether the next round copies pages that the log does not contain.
    var hasCarriedPages: Bool { carried.mayHavePages }

    /// A round has ended: those pages have been copied.
    func forgetCarriedPages() { carried.removeAll() }
}
