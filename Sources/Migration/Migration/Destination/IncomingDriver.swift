// Does what the destination's machine says, on the control connection's thread, and tells it what happened.

import Host
import MigrationProtocol
import Model
import Ownership
import PageCodec
import PeerLink
import Synchronization

/// The driver of one incoming migration. For one thread.
final class IncomingDriver {
    typealias Event = DestinationMachine.Event
    private typealias Action = DestinationMachine.Action

    /// Another's from the moment that the offer goes on with what it has.
    private(set) var session: IncomingSession
    /// Nil for a parked session that only ends.
    let control: (any Link)?
    let sessions: SessionTable
    var runtime: any MigrationRuntime { session.runtime }
    private var hasOffer = false
    var state: [UInt8]?
    private var ledgerWrite = Duration.zero
    private var load = Duration.zero
    private var own = Duration.zero
    private var resume = Duration.zero

    init(session: IncomingSession, control: (any Link)?, sessions: SessionTable) {
        self.session = session
        self.control = control
        self.sessions = sessions
    }

    /// Returns when the session has ended or is parked.
    func run() {
        control?.silenceMax = session.timing.deadPeer
        control?.setFlag(session.undisturbed)
        drive()
    }

    /// Ends a parked session that was taken out of the table.
    func conclude(_ event: Event) {
        receive(event)
        drive()
    }

    private func drive() {
        while true {
            guard let action = session.shared.withLock({ $0.loop.nextAction }) else {
                receive(nextEvent())
                continue
            }
            if case .end(let ending) = action { return finish(ending) }
            let event = perform(action)
            if case .park = action, event == nil { return }
            session.shared.withLock { $0.loop.finishAction(with: event) }
        }
    }

    private func receive(_ event: Event) {
        session.shared.withLock { $0.loop.receive(event) }
    }

    private func perform(_ action: Action) -> Event? {
        switch action {
        case .prepare(let offer): return prepare(offer)
        case .write(let record): return write(record)
        case .accept: return accept()
        case .load: return loadState()
        case .park: return park()
        case .sendRehearsed: return send(.rehearsed(load: load))
        case .sendReady(let digest): return send(.ready(digest: digest, load: load))
        case .resumeGuest: return resumeGuest()
        case .sendRunning(let epoch):
            // A lost answer is the source's to ask for again; the VM runs either way.
            _ = send(.running(epoch, own: own, resume: resume))
        case .refuse(let refusal): _ = send(.refused(refusal))
        case .sendNeverRan(let epoch): _ = send(.answer(.neverRan(epoch)))
        case .discardGuest:
            endStreams()
            session.shared.withLock { $0.guest }?.discard()
        case .end: break
        }
        return nil
    }

    private func send(_ message: PeerMessage) -> Event? {
        // A parked session has nobody to talk to.
        do { try control?.send(message) } catch {
            return .peerLost(MessageError.link(error).words)
        }
        return nil
    }

    private func prepare(_ offer: MigrationOffer) -> Event {
        guard let source = control?.peer.name else {
            return .prepareRefused(MigrationRefusal(.hostFailure, "nobody offers it"))
        }
        guard sessions.hasRoomForMemory else {
            return .prepareRefused(
                MigrationRefusal(.busy, "\(Limits.sessionsMax) migrations arrive already"))
        }
        if let problem = offer.spec.problem {
            return .prepareRefused(MigrationRefusal(.badSpec, problem))
        }
        do throws(MigrationRefusal) {
            let guest = try build(offer, from: source)
            session.shared.withLock {
                $0.guest = guest
                $0.offer = offer
                $0.source = source
            }
            guard guest.layout.memory == offer.spec.memory else {
                return .failed(
                    MigrationRefusal(
                        .hostFailure, "the guest was built with \(guest.layout.memory)",
                        details: ["asked for \(offer.spec.memory)"]))
            }
            return .prepared
        } catch {
            return .prepareRefused(error)
        }
    }

    /// Builds the guest, which may take long. Another thread shows the source meanwhile that this host is alive.
    private func build(
        _ offer: MigrationOffer, from source: HostName
    ) throws(MigrationRefusal) -> any DestinationGuest {
        let (runtime, control) = (runtime, control)
        let built: any WakeFlag
        let beacon: any RunningThread
        do throws(SystemError) {
            built = try runtime.makeFlag()
            beacon = try runtime.startThread(name: "ferry-alive", nice: 0) { [built] in
                while (try? built.wait(until: runtime.now + Limits.aliveInterval)) == false {
                    // A source that is gone is noticed when it is waited for.
                    try? control?.send(.alive(round: 0, remainingBytes: 0))
                }
            }
        } catch { throw MigrationRefusal(.hostFailure, "\(error)") }
        defer {
            built.set()
            beacon.join()
        }
        return try session.host.prepare(offer, from: source)
    }

    private func write(_ record: LedgerRecord) -> Event {
        if case .owned = record, let guest = session.shared.withLock({ $0.guest }) {
            // A guest that died meanwhile must not be owned: the source still has a good one.
            do { try guest.checkIsReady() } catch {
                return .recordFailed(MigrationRefusal(.guestFailure, "\(error)"))
            }
        }
        let start = runtime.now
        do { try session.host.ledger.append(record) } catch {
            let code =
                if case .contradicts = error {
                    MigrationRefusal.Code.vmExists
                } else {
                    MigrationRefusal.Code.ledgerFailure
                }
            return .recordFailed(MigrationRefusal(code, "\(error)"))
        }
        let duration = runtime.now - start
        if case .owned = record { own = duration }
        if case .incoming = record {
            // Measured again: one write may have met a busy disk. If that fails the first is what is known.
            let measured = (try? session.host.ledger.measureWrite()) ?? duration
            ledgerWrite = min(duration, measured)
        }
        return .recordWritten
    }

    private func accept() -> Event? {
        let token = (0..<MigrationProtocol.Limits.tokenBytes).map { _ in
            UInt8(truncatingIfNeeded: runtime.randomWord())
        }
        let kept = session.shared.withLock { shared -> (table: PageHashTable, seed: UInt64)? in
            guard let offer = shared.offer, let guest = shared.guest else { return nil }
            shared.streams.expectStreams(offer.streams, token: token)
            if let table = shared.table { return (table, offer.hashSeed) }
            shared.table = PageHashTable(pageCount: guest.layout.pageCount)
            return nil
        }
        guard let kept else {
            return send(.accepted(token: token, ledgerWrite: ledgerWrite, kept: nil))
        }
        return sendKept(kept.table, kept.seed, token)
    }

    /// No stream is there yet: the table stands still.
    private func sendKept(_ table: PageHashTable, _ seed: UInt64, _ token: [UInt8]) -> Event? {
        let ranges = table.presentRanges(pagesMax: MigrationProtocol.Limits.hashesMax)
        let count = ranges.reduce(0) { $0 + $1.count }
        let kept = KeptMemory(hashSeed: seed, pages: UInt64(count))
        if let lost = send(.accepted(token: token, ledgerWrite: ledgerWrite, kept: kept)) {
            return lost
        }
        for pages in ranges {
            let hashes = PeerMessage.hashes(
                firstPage: UInt64(pages.lowerBound), table.bytes(of: pages))
            if let lost = send(hashes) { return lost }
        }
        return nil
    }

    private func loadState() -> Event {
        let start = runtime.now
        guard let guest = session.shared.withLock({ $0.guest }), let state else {
            return .failed(MigrationRefusal(.protocolViolation, "no state came"))
        }
        self.state = nil
        do { try guest.loadState(state) } catch {
            return .failed(
                MigrationRefusal(
                    .badState, "the state cannot be loaded", details: ["\(error)"]))
        }
        load = runtime.now - start
        return .loaded
    }

    private func resumeGuest() -> Event {
        let start = runtime.now
        guard let guest = session.shared.withLock({ $0.guest }) else {
            return .resumeFailed(MigrationRefusal(.hostFailure, "the guest is gone"))
        }
        do { try guest.resume() } catch {
            return .resumeFailed(MigrationRefusal(.guestFailure, "\(error)"))
        }
        resume = runtime.now - start
        return .resumed
    }

    /// An offer may go on with what an earlier connection brought. The first of a connection; a second has no place.
    func offered(_ offer: MigrationOffer, from source: HostName) -> Event {
        if !hasOffer {
            hasOffer = true
            guard endOlder(offer, from: source) || isConnected else {
                return .refused(MigrationRefusal(.timedOut, "the source has gone again"))
            }
        }
        return .offered(offer, from: source)
    }

    /// A source that has made its offer is silent until it is answered: what comes can only be an end.
    private var isConnected: Bool {
        (try? control?.waitForInput(or: session.undisturbed, until: runtime.now)) == .timedOut
    }

    /// The source has one connection for a VM: one that is there still was lost, and its end is waited for. But an
    /// offer that was left lying must not end a newer one's session. True when this goes on where that one was.
    private func endOlder(_ offer: MigrationOffer, from source: HostName) -> Bool {
        let end = runtime.now + session.timing.deadPeerInHandover
        while isConnected, sessions.supersede(offer.vm, from: source), runtime.now < end {
            _ = try? session.news.wait(until: min(end, runtime.now + Limits.tick))
        }
        guard isConnected, let kept = sessions.takeParked(offer.vm, from: source) else {
            return false
        }
        let parkedOffer = kept.shared.withLock { $0.loop.machine.parkedOffer }
        guard let parkedOffer, offer.canContinue(parkedOffer) else {
            let refusal = MigrationRefusal(.cancelled, "the source began anew")
            IncomingDriver(session: kept, control: nil, sessions: sessions)
                .conclude(.failed(refusal))
            return false
        }
        kept.takeOver(offer)
        sessions.close(session)
        session = kept
        session.host.unparked(offer, from: source)
        return true
    }

    /// Nil when it is done; the event that comes instead.
    private func park() -> Event? {
        drainStreams()
        endStreams()
        let (offer, source, failure) = session.shared.withLock {
            ($0.offer, $0.source, $0.streams.failure)
        }
        if case .damaged(let refusal) = failure { return .failed(refusal) }
        guard let offer, let source else {
            return .failed(MigrationRefusal(.hostFailure, "there is nothing to keep"))
        }
        let limit = session.timing.keepBroken
        session.host.parked(offer, from: source, for: limit)
        // Done before another thread can have the session.
        session.shared.withLock { $0.loop.finishAction(with: nil) }
        sessions.park(session, offer, from: source, until: runtime.now + limit)
        return nil
    }

    /// What has reached this host need not be sent again: streams that were cut end by themselves when they have
    /// received it.
    private func drainStreams() {
        let end = runtime.now + session.timing.deadPeer
        var received = session.frames.load(ordering: .relaxed)
        var quiet = runtime.now + Limits.drainTimeout
        while session.shared.withLock({ $0.streams.active }) > 0, runtime.now < min(quiet, end) {
            _ = try? session.news.wait(until: min(quiet, end))
            session.news.clear()
            let frames = session.frames.load(ordering: .relaxed)
            if frames != received { quiet = runtime.now + Limits.drainTimeout }
            received = frames
        }
    }

    /// Ends the streams and waits until none writes to the memory any more.
    private func endStreams() {
        session.shared.withLock {
            $0.isEnding = true
            $0.streams.refuseFurtherStreams()
        }
        session.over.set()
        while session.shared.withLock({ $0.streams.active }) > 0 {
            // A stream's waits are ended by `over`; what it does between waits is short.
            _ = try? session.news.wait(until: runtime.now + Limits.tick)
            session.news.clear()
        }
    }

    private func finish(_ ending: DestinationMachine.Ending) {
        endStreams()
        defer { sessions.close(session) }
        let (offer, source, guest) = session.shared.withLock { ($0.offer, $0.source, $0.guest) }
        session.shared.withLock { $0.guest = nil }
        guard let offer, let source, let guest else { return }
        let outcome: IncomingOutcome
        switch ending {
        case .running(let epoch): outcome = .running(epoch)
        case .ownedButStopped(let epoch, let refusal):
            outcome = .ownedButStopped(epoch, refusal)
        case .refused(let refusal), .discarded(let refusal): outcome = .discarded(refusal)
        case .undecided(let refusal):
            sessions.keep(
                UndecidedGuest(offer: offer, source: source, guest: guest, refusal: refusal))
            // A question or a ruling that came before has decided it, and found nothing to discard.
            let ownership = session.host.ledger.ownership(of: offer.vm)
            guard ownership?.isUndecided(after: offer.migration) != true,
                sessions.takeUndecided(offer.vm, offer.migration) != nil
            else { return }
            guest.discard()
            outcome = .discarded(refusal)
        }
        session.host.finished(offer, from: source, outcome: outcome)
    }
}
