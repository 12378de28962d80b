// Connect, negotiate, and the rounds of pre-copy.

import Host
import MigrationProtocol
import Model
import PageCodec
import PeerLink
import Synchronization

extension SourceDriver {
    func openControlConnection() -> SourceMachine.Event {
        reporting.beginPhase(.connect)
        do {
            try connection.openControl()
            return .connected
        } catch { return reportDialFailure(causedBy: error) }
    }

    private func reportDialFailure(causedBy error: DialError) -> SourceMachine.Event {
        switch error {
        case .link(let error): return reportPeerLoss(causedBy: error)
        case .refused(let refusal): return reportRefusal(refusal)
        case .malformed(let error): return reportMessageError(error)
        case .unexpected(let name): return reportFailure(.unexpectedMessage(name))
        }
    }

    func reportPeerLoss(causedBy error: LinkError) -> SourceMachine.Event {
        reporting.recordFailure(.link(error))
        return .peerLost
    }

    func reportRefusal(_ refusal: MigrationRefusal) -> SourceMachine.Event {
        reporting.recordFailure(.refused(refusal))
        return .refused(refusal)
    }

    func reportMessageError(_ error: MessageError) -> SourceMachine.Event {
        switch error {
        case .link(let error): return reportPeerLoss(causedBy: error)
        case .malformed(let error): return reportFailure(.malformed(error))
        }
    }

    func makeOffer() -> SourceMachine.Event {
        reporting.beginPhase(.negotiate)
        guard let control = connection.control else { return .peerLost }
        control.silenceMax = options.timing.deadPeer
        do { try control.sendMessage(.offer(offer)) } catch {
            return reportPeerLoss(causedBy: error)
        }
        let reply: PeerMessage
        do { reply = try receiveReply(from: control) } catch { return reportMessageError(error) }
        switch reply {
        case .accepted(let token, let ledgerWrite, let kept):
            do throws(DialError) {
                let table = try receiveHashTable(of: kept, from: control)
                return openStreams(token: token, ledgerWrite: ledgerWrite, table: table)
            } catch { return reportDialFailure(causedBy: error) }
        case .refused(let refusal): return handleRefusedOffer(refusal: refusal)
        default: return reportFailure(.unexpectedMessage(reply.name))
        }
    }

    /// The destination's reply to the offer. The destination builds the guest first, and shows meanwhile that it is
    /// alive.
    private func receiveReply(from control: any Link) throws(MessageError) -> PeerMessage {
        let limit = Limits.prepareTimeout(of: offer.spec)
        let end = runtime.now + limit
        while true {
            let message = try control.receiveMessage()
            guard case .alive = message else { return message }
            guard runtime.now < end else { throw .link(.timedOut(after: limit)) }
        }
    }

    /// - Parameter table: the hashes of what the destination has.
    private func openStreams(
        token: [UInt8], ledgerWrite: Duration, table: PageHashTable
    ) -> SourceMachine.Event {
        var links: [any Link] = []
        for stream in 0..<offer.streams {
            do {
                links.append(try connection.openStream(number: stream, token: token))
            } catch .refused(let refusal) where refusal.code == .notAllowed {
                // The session has ended meanwhile; the control connection has the reason.
                return reportStreamLoss(causedBy: .closed)
            } catch { return reportDialFailure(causedBy: error) }
        }
        let pages = reconnection.makePages(of: guest.guest, table: table, seed: offer.hashSeed)
        do {
            connection.attachStreams(
                try SourceStreams(
                    guest: guest.guest, pages: pages, compression: options.compression,
                    connections: links, runtime: runtime, news: connection.news))
        } catch { return reportFailure(.link(.system(error))) }
        do throws(GuestError) {
            try guest.startDirtyLog()
            try guest.fetchDirtyLog()
        } catch { return reportFailure(.guest(error)) }
        if reconnection.hasCarriedPages { guest.recountDirtyPages(in: pages.bits) }
        if reconnection.isReconnecting { markReconnected() }
        return .accepted(
            DowntimeTerms(
                vcpus: offer.spec.vcpus, roundTrip: connection.roundTrip,
                ledgerWrite: ledgerWrite))
    }

    func throttleGuest(percent: Int) -> SourceMachine.Event? {
        do { try guest.throttleGuest(percent: percent) } catch {
            return reportFailure(.guest(error))
        }
        reporting.recordThrottle(percent: percent)
        return nil
    }

    func sendRound(number round: Int) -> SourceMachine.Event {
        reporting.beginPhase(.preCopy)
        guard let streams = connection.streams else { return .peerLost }
        let isFirst = streams.isFresh
        let before = streams.counts
        let start = runtime.now
        let pages = guest.dirtyPages
        reporting.recordRoundBegin(
            number: round, pages: pages, predicted: machine.prediction?.expected)
        do throws(RoundError) {
            try streams.sendRound(number: round) { () throws(RoundError) in
                try monitorRound(number: round, pages: pages)
            }
            reconnection.forgetCarriedPages()
            do { try guest.fetchDirtyLog() } catch { throw .guest(error) }
        } catch { return reportRoundFailure(causedBy: error) }
        let counts = streams.counts
        let content = Int(counts.contentPages - before.contentPages)
        // The holes, zero pages and unchanged pages of a first round cost almost nothing; pages of later rounds are
        // representative of those that follow.
        let isTelling = isFirst && content >= MigrationProtocol.Limits.manyPages
        let facts = RoundFacts(
            pages: isTelling ? content : Int(counts.pages - before.pages),
            dirtyPages: guest.dirtyPages, duration: runtime.now - start)
        reporting.recordRoundEnd(with: facts, of: streams.board)
        return .roundEnded(facts)
    }

    func reportRoundFailure(causedBy error: RoundError) -> SourceMachine.Event {
        switch error {
        case .guest(let error): return reportFailure(.guest(error))
        case .link(let error): return reportStreamLoss(causedBy: error)
        case .disturbed: return watch.isCancelled ? .cancel : nextMessage()
        }
    }

    /// A data stream broke. The destination may have sent the reason on the control connection.
    func reportStreamLoss(causedBy error: LinkError) -> SourceMachine.Event {
        if let control = connection.control,
            (try? control.waitForInput(wakingOn: stop, until: runtime.now + Limits.tick)) == .ready
        {
            let event = nextMessage()
            if case .refused = event { return event }
        }
        return reportPeerLoss(causedBy: error)
    }

    /// Called several times per second during a round: waits for news, publishes progress, and shows the destination
    /// that this host is alive.
    ///
    /// - Parameter pages: the pages of the round.
    func monitorRound(number round: Int, pages: Int) throws(RoundError) {
        guard let control = connection.control, let streams = connection.streams else {
            throw .disturbed
        }
        let result: WaitResult
        do {
            result = try control.waitForInput(
                wakingOn: connection.news, until: runtime.now + Limits.tick)
        } catch { throw .link(error) }
        switch result {
        case .ready: throw .disturbed
        case .wokenUp: connection.news.clearFlag()
        case .timedOut: break
        }
        if watch.isCancelled { throw .disturbed }
        let board = streams.board
        if let failure = board.failure { throw .link(failure) }
        let now = runtime.now
        let left = max(0, pages - board.handledPages.load(ordering: .relaxed))
        let remainingBytes = UInt64(left * pageBytes)
        reporting.recordProgress(of: board, remainingBytes: remainingBytes, at: now)
        do {
            try connection.sendAlive(round: round, remainingBytes: remainingBytes, at: now)
        } catch { throw .link(error) }
    }
}
