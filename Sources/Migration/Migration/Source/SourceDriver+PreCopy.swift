// Connect, negotiate, and the rounds of pre-copy.

import Host
import MigrationProtocol
import Model
import PageCodec
import PeerLink
import Synchronization

extension SourceDriver {
    func connect() -> SourceMachine.Event {
        setPhase(.connect)
        do {
            (control, roundTrip) = try dialer.open(.control)
            return .connected
        } catch { return failedDial(error) }
    }

    private func failedDial(_ error: DialError) -> SourceMachine.Event {
        switch error {
        case .link(let error): return lost(error)
        case .refused(let refusal): return refused(refusal)
        case .malformed(let error): return broken(error)
        case .unexpected(let name):
            fail(.unexpectedMessage(name))
            return .failed
        }
    }

    func lost(_ error: LinkError) -> SourceMachine.Event {
        fail(.link(error))
        return .peerLost
    }

    func refused(_ refusal: MigrationRefusal) -> SourceMachine.Event {
        fail(.refused(refusal))
        return .refused(refusal)
    }

    func broken(_ error: MessageError) -> SourceMachine.Event {
        switch error {
        case .link(let error): return lost(error)
        case .malformed(let error):
            fail(.malformed(error))
            return .failed
        }
    }

    func makeOffer() -> SourceMachine.Event {
        setPhase(.negotiate)
        guard let control else { return .peerLost }
        control.silenceMax = options.timing.deadPeer
        do { try control.send(.offer(offer)) } catch { return lost(error) }
        let reply: PeerMessage
        do { reply = try receiveReply(control) } catch { return broken(error) }
        switch reply {
        case .accepted(let token, let ledgerWrite, let kept):
            do throws(DialError) {
                return openStreams(token, ledgerWrite, try receiveTable(kept, control))
            } catch { return failedDial(error) }
        case .refused(let refusal): return refusedOffer(refusal)
        default:
            fail(.unexpectedMessage(reply.name))
            return .failed
        }
    }

    /// What the destination says to the offer. It builds the guest first, and shows meanwhile that it is alive.
    private func receiveReply(_ control: any Link) throws(MessageError) -> PeerMessage {
        let limit = Limits.prepareTimeout(of: offer.spec)
        let end = runtime.now + limit
        while true {
            let message = try control.receiveMessage()
            guard case .alive = message else { return message }
            guard runtime.now < end else { throw .link(.timedOut(after: limit)) }
        }
    }

    /// - Parameter table: what the destination has.
    private func openStreams(
        _ token: [UInt8], _ ledgerWrite: Duration, _ table: PageHashTable
    ) -> SourceMachine.Event {
        var connections: [any Link] = []
        for stream in 0..<offer.streams {
            do {
                let (connection, answered) = try dialer.open(.data(token: token, stream: stream))
                connections.append(connection)
                roundTrip = min(roundTrip, answered)
            } catch .refused(let refusal) where refusal.code == .notAllowed {
                // The session has ended meanwhile, which the control connection knows better.
                return lostStream(.closed)
            } catch { return failedDial(error) }
        }
        if let sent { carried.formUnion(differing: sent, table) }
        // The guest owns the bitmap, and outlives the streams.
        let bits = unsafe DirtyBits(
            base: guest.dirtyBits.base, pageCount: guest.layout.pageCount, and: carried)
        do {
            streams = try SourceStreams(
                guest: guest,
                pages: SourcePages(bits: bits, table: table, seed: offer.hashSeed, sent: sent),
                compression: options.compression, connections: connections, runtime: runtime,
                news: news)
        } catch {
            fail(.link(.system(error)))
            return .failed
        }
        do throws(GuestError) {
            if !isLogging {
                isLogging = true
                try guest.startDirtyLog()
            }
            dirtyPages = try guest.fetchDirtyLog()
        } catch {
            fail(.guest(error))
            return .failed
        }
        if carried.mayHavePages { dirtyPages = bits.count(in: 0..<bits.pageCount) }
        if lostAt != nil { reconnected() }
        return .accepted(
            DowntimeTerms(
                vcpus: offer.spec.vcpus, roundTrip: roundTrip, ledgerWrite: ledgerWrite))
    }

    func throttle(_ percent: Int) -> SourceMachine.Event? {
        do {
            isThrottled = true
            try guest.throttle(percent: percent)
        } catch {
            fail(.guest(error))
            return .failed
        }
        watch.update { $0.throttlePercent = percent }
        return nil
    }

    func sendRound(_ round: Int) -> SourceMachine.Event {
        setPhase(.preCopy)
        guard let streams else { return .peerLost }
        report.rounds = round
        let isFirst = streams.isFresh
        let before = streams.counts
        let start = runtime.now
        let pages = dirtyPages
        let predicted = machine.prediction?.expected
        watch.update {
            $0.predictedDowntime = predicted
            $0.round = round
            $0.remainingBytes = UInt64(pages * pageBytes)
        }
        do throws(RoundError) {
            try streams.sendRound(round) { () throws(RoundError) in
                try tick(round, pagesOfRound: pages)
            }
            carried.removeAll()
            do { dirtyPages = try guest.fetchDirtyLog() } catch { throw .guest(error) }
        } catch { return failedRound(error) }
        let counts = streams.counts
        let content = Int(counts.contentPages - before.contentPages)
        // A first round's holes, zeros and pages that need not travel cost next to nothing; later rounds' pages are
        // like those to come.
        let isTelling = isFirst && content >= MigrationProtocol.Limits.manyPages
        let facts = RoundFacts(
            pages: isTelling ? content : Int(counts.pages - before.pages), dirtyPages: dirtyPages,
            duration: runtime.now - start)
        publish(facts)
        return .roundEnded(facts)
    }

    func failedRound(_ error: RoundError) -> SourceMachine.Event {
        switch error {
        case .guest(let error):
            fail(.guest(error))
            return .failed
        case .link(let error): return lostStream(error)
        case .disturbed: return watch.isCancelled ? .cancel : nextMessage()
        }
    }

    /// A data stream broke. The destination may have said why on the control connection.
    func lostStream(_ error: LinkError) -> SourceMachine.Event {
        if let control,
            (try? control.waitForInput(or: stop, until: runtime.now + Limits.tick)) == .ready
        {
            let event = nextMessage()
            if case .refused = event { return event }
        }
        return lost(error)
    }

    /// Several times a second: progress, a sign of life, and a look at what the destination says.
    func tick(_ round: Int, pagesOfRound: Int) throws(RoundError) {
        guard let control, let streams else { throw .disturbed }
        let result: WaitResult
        do { result = try control.waitForInput(or: news, until: runtime.now + Limits.tick) } catch {
            throw .link(error)
        }
        switch result {
        case .ready: throw .disturbed
        case .wokenUp: news.clear()
        case .timedOut: break
        }
        if watch.isCancelled { throw .disturbed }
        let board = streams.board
        if let failure = board.failure { throw .link(failure) }
        let now = runtime.now
        let left = max(0, pagesOfRound - board.handledPages.load(ordering: .relaxed))
        let wireBytes =
            pastCounts.wireBytes + UInt64(board.wireBytes.load(ordering: .relaxed))
        let rate = meter.rate(wireBytes, at: now)
        let elapsed = clock.elapsed(at: now)
        watch.update {
            $0.remainingBytes = UInt64(left * pageBytes)
            $0.wireBytes = wireBytes
            $0.wireBytesPerSecond = rate
            $0.elapsed = elapsed
        }
        guard now - lastAlive >= Limits.aliveInterval else { return }
        lastAlive = now
        do {
            try control.send(.alive(round: round, remainingBytes: UInt64(left * pageBytes)))
        } catch { throw .link(error) }
    }

    private func publish(_ facts: RoundFacts) {
        let perSecond = Double(facts.dirtyPages) / max(facts.duration.seconds, 1e-6)
        let wireBytes =
            pastCounts.wireBytes + UInt64(streams?.board.wireBytes.load(ordering: .relaxed) ?? 0)
        let now = runtime.now
        let rate = meter.rate(wireBytes, at: now)
        let elapsed = clock.elapsed(at: now)
        watch.update {
            $0.dirtyPagesPerSecond = perSecond
            $0.remainingBytes = UInt64(facts.dirtyPages * pageBytes)
            $0.wireBytes = wireBytes
            $0.wireBytesPerSecond = rate
            $0.elapsed = elapsed
        }
    }

    func setPhase(_ phase: MigrationPhase, at now: Instant? = nil) {
        clock.begin(phase, at: now ?? runtime.now)
        watch.update { $0.phase = phase }
    }
}

/// Bytes a second over the last stretch of time.
struct RateMeter {
    private var last: (at: Instant, bytes: UInt64)?
    private var perSecond = 0.0

    mutating func rate(_ bytes: UInt64, at now: Instant) -> Double {
        guard let last else {
            self.last = (now, bytes)
            return 0
        }
        let seconds = (now - last.at).seconds
        guard seconds >= 0.05 else { return perSecond }
        perSecond = Double(bytes - min(bytes, last.bytes)) / seconds
        self.last = (now, bytes)
        return perSecond
    }
}
