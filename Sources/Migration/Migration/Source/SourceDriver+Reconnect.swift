// Reconnect after a loss in pre-copy: connect again, ask the destination what it has, and send the rest.
//
// No page may be lost. The last change of a page is at the destination, or the page is examined again, because it is in
// one of three sets:
//
// - the dirty log: pages that were written and not cleared yet. The log continues all the time;
// - the pages of the interrupted round: some of them were cleared but not copied, some changed after the copy and were
//   cleared. It is not known which, so all are examined;
// - the pages whose last sent hash differs from what the destination has: their bytes were lost in transit, in this
//   round or an earlier one, because data that a socket has accepted has not arrived yet.
//
// Examining a page is cheap: pages that the destination has are not sent.

import Host
import MigrationProtocol
import Model
import PageCodec
import PeerLink
import Wire

extension SourceDriver {
    func reconnect(attempt: Int) -> SourceMachine.Event {
        let now = runtime.now
        if attempt == 1 { reconnection.retainRound(of: guest.guest) }
        let lostAt = reconnection.recordLoss(at: now)
        closeConnection()
        stop.clearFlag()
        reporting.beginPhase(.connect)
        reporting.recordReconnect(attempt: attempt)
        // A cancel from before the flag was cleared is seen here; a later one sets the flag again.
        if watch.isCancelled { return .cancel }
        let pause = options.timing.reconnectPause(beforeAttempt: attempt)
        guard now + pause - lostAt < options.timing.reconnectFor else { return .failed }
        do throws(SystemError) {
            if try stop.waitUntilSet(before: now + pause) { return .cancel }
        } catch { return reportPeerLoss(causedBy: .system(error)) }
        if reconnection.isRenamed { loop.renameMigration(to: offer.migration) }
        return openControlConnection()
    }

    func markReconnected() {
        reconnection.markReconnected()
        connection.markReconnected(at: runtime.now)
        reporting.recordReconnected()
    }

    /// A destination that abandoned this attempt meanwhile, for example because its agent restarted, has recorded that
    /// the VM never ran there under this identifier. With a new identifier the attempt can start again.
    func handleRefusedOffer(refusal: MigrationRefusal) -> SourceMachine.Event {
        guard reconnection.isReconnecting, refusal.code == .vmExists, !reconnection.isRenamed
        else { return reportRefusal(refusal) }
        reconnection.markRenamed()
        offer.migration = offer.migration.renewed
        return .peerLost
    }

    /// Hashes of the pages that the destination reports to have; empty if it has retained nothing.
    func receiveHashTable(
        of kept: KeptMemory?, from control: any Link
    ) throws(DialError) -> PageHashTable {
        let table = PageHashTable(pageCount: guest.guest.layout.pageCount)
        guard let kept else { return table }
        offer.hashSeed = kept.hashSeed
        guard kept.pages <= UInt64(table.pageCount) else {
            throw .malformed(.malformed(.invalid(field: "pages", value: kept.pages)))
        }
        var left = Int(kept.pages)
        var next = 0
        while left > 0 {
            let (first, bytes) = try receiveHashes(from: control)
            let count = bytes.count / hashBytes
            guard count > 0, count <= left, first >= UInt64(next),
                first <= UInt64(table.pageCount - count)
            else { throw .malformed(.malformed(.invalid(field: "first page", value: first))) }
            table.decodeEntries(from: bytes, firstPage: Int(first))
            next = Int(first) + count
            left -= count
        }
        return table
    }

    private func receiveHashes(
        from control: any Link
    ) throws(DialError) -> (firstPage: UInt64, bytes: [UInt8]) {
        let message: PeerMessage
        do { message = try control.receiveMessage() } catch {
            if case .link(let error) = error { throw .link(error) }
            throw .malformed(error)
        }
        switch message {
        case .hashes(let first, let bytes): return (first, bytes)
        case .refused(let refusal): throw .refused(refusal)
        default: throw .unexpected(message.name)
        }
    }
}
