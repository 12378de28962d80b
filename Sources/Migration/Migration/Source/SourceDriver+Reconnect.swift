// A connection lost in pre-copy: connect again, ask the destination what it has, and send the rest.
//
// No page may be lost over it. A page's last change is at the destination, or the page is looked at again, because
// it is in one of three sets:
//
// - the dirty log: what was written and not cleared yet. It goes on all the time;
// - the pages of the round that was cut short: some of them were cleared and never looked at, some changed after
//   the look and were cleared for it. Which ones is not known, so all are looked at;
// - the pages whose last sent hash is not what the destination has: their bytes were lost on the way, this round's
//   or an earlier one's, for what a socket has taken has not arrived yet.
//
// Looking is cheap: what the destination has is not sent.

import Host
import MigrationProtocol
import Model
import PageCodec
import PeerLink
import Wire

extension SourceDriver {
    func reconnect(_ attempt: Int) -> SourceMachine.Event {
        let now = runtime.now
        if attempt == 1 { lostRound() }
        let lostAt = lostAt ?? now
        self.lostAt = lostAt
        closeAll()
        stop.clear()
        setPhase(.connect)
        watch.update {
            $0.reconnectAttempt = attempt
            $0.wireBytesPerSecond = 0
        }
        // A cancel from before the flag was cleared is seen here, a later one sets it again.
        if watch.isCancelled { return .cancel }
        let pause = options.timing.reconnectPause(attempt)
        guard now + pause - lostAt < options.timing.reconnectFor else { return .failed }
        do throws(SystemError) {
            if try stop.wait(until: now + pause) { return .cancel }
        } catch { return lost(.system(error)) }
        if isRenamed { loop.rename(to: offer.migration) }
        return connect()
    }

    private func lostRound() {
        // The guest owns the bitmap, and outlives this.
        carried.formUnion(
            unsafe DirtyBits(base: guest.dirtyBits.base, pageCount: guest.layout.pageCount))
    }

    func reconnected() {
        report.reconnects += 1
        lostAt = nil
        isRenamed = false
        reason = nil
        lastAlive = runtime.now
        watch.update { $0.reconnectAttempt = nil }
    }

    /// A destination that gave up this attempt meanwhile, for its agent was restarted say, has written that the VM
    /// never ran there by this name. Under another it may begin again.
    func refusedOffer(_ refusal: MigrationRefusal) -> SourceMachine.Event {
        guard lostAt != nil, refusal.code == .vmExists, !isRenamed else { return refused(refusal) }
        isRenamed = true
        offer.migration = offer.migration.renewed
        return .peerLost
    }

    /// What the destination has, as it says; nothing when it has kept nothing.
    func receiveTable(
        _ kept: KeptMemory?, _ control: any Link
    ) throws(DialError) -> PageHashTable {
        let table = PageHashTable(pageCount: guest.layout.pageCount)
        guard let kept else { return table }
        offer.hashSeed = kept.hashSeed
        guard kept.pages <= UInt64(table.pageCount) else {
            throw .malformed(.malformed(.invalid(field: "pages", value: kept.pages)))
        }
        var left = Int(kept.pages)
        var next = 0
        while left > 0 {
            let (first, bytes) = try receiveHashes(control)
            let count = bytes.count / hashBytes
            guard count > 0, count <= left, first >= UInt64(next),
                first <= UInt64(table.pageCount - count)
            else { throw .malformed(.malformed(.invalid(field: "first page", value: first))) }
            table.set(bytes, from: Int(first))
            next = Int(first) + count
            left -= count
        }
        return table
    }

    private func receiveHashes(
        _ control: any Link
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
