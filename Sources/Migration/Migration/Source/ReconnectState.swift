// What a source must not forget when its connection is lost.

import Host
import Model
import PageCodec

/// Which pages have to be copied again after a loss, and how far the attempt to reconnect is. For the driver's thread.
struct ReconnectState {
    /// Pages that the next round copies even if the log does not name them.
    private let carried: PageSet
    /// Hashes of what was sent last, on connections that are gone; nil before the first is.
    private var sent: PageHashTable?
    /// Hashes of what the destination has, as of the connection that is gone.
    private(set) var table: PageHashTable?
    /// When the connection was lost; nil while there is one.
    private var lostAt: Instant?
    /// This attempt to reconnect has already changed the migration's identifier.
    private(set) var isRenamed = false

    init(pageCount: Int) { carried = PageSet(pageCount: pageCount) }

    var isReconnecting: Bool { lostAt != nil }

    /// Returns when the connection was lost: now, unless an earlier attempt has recorded it.
    mutating func recordLoss(at now: Instant) -> Instant {
        let since = lostAt ?? now
        lostAt = since
        return since
    }

    /// The pages of the round that was cut short are copied again.
    func retainRound(of guest: any SourceGuest) {
        // The guest owns the bitmap, and outlives this.
        carried.formUnion(
            with: unsafe DirtyBits(base: guest.dirtyBits.base, pageCount: guest.layout.pageCount))
    }

    /// The streams have been stopped: retains what they know of pages.
    mutating func retainPages(of streams: SourceStreams) {
        sent = streams.pages.sent ?? streams.pages.table
        table = streams.pages.table
    }

    mutating func markRenamed() { isRenamed = true }

    mutating func markReconnected() {
        lostAt = nil
        isRenamed = false
    }

    /// What new streams must know of pages.
    ///
    /// - Parameter table: what the destination has.
    func makePages(of guest: any SourceGuest, table: PageHashTable, seed: UInt64) -> SourcePages {
        if let sent { carried.insertDifferences(of: sent, from: table) }
        // The guest owns the bitmap, and outlives the streams.
        let bits = unsafe DirtyBits(
            base: guest.dirtyBits.base, pageCount: guest.layout.pageCount, others: carried)
        return SourcePages(bits: bits, table: table, seed: seed, sent: sent)
    }

    /// The log does not name all pages that the next round copies.
    var hasCarriedPages: Bool { carried.mayHavePages }

    /// A round has ended: it has copied them.
    func forgetCarriedPages() { carried.removeAll() }
}
