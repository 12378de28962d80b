// Performs the actions of the destination's machine on the control connection's thread, and gives the machine the
// events that result.

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

    /// The session passes to another driver when an offer continues with its memory.
    private(set) var session: IncomingSession
    /// Nil for a suspended session that only ends.
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

    /// Returns when the session has ended or is suspended.
    func runSession() {
        control?.silenceMax = session.timing.deadPeer
        control?.setInterruptFlag(session.undisturbed)
        performActions()
    }

    /// Ends a suspended session that was removed from the table.
    func endSuspendedSession(with event: Event) {
        deliverEvent(event)
        performActions()
    }

    private func performActions() {
        while true {
            guard let action = session.shared.withLock({ $0.loop.nextAction }) else {
                deliverEvent(nextEvent())
                continue
            }
            if case .end(let ending) = action { return finishSession(with: ending) }
            let event = performAction(action)
            if case .park = action, event == nil { return }
            session.shared.withLock { $0.loop.finishAction(with: event) }
        }
    }

    private func deliverEvent(_ event: Event) {
        session.shared.withLock { $0.loop.receiveEvent(event) }
    }

    private func performAction(_ action: Action) -> Event? {
        switch action {
        case .prepare(let offer): return prepareGuest(for: offer)
        case .write(let record): return writeRecord(record)
        case .accept: return acceptOffer()
        case .load: return loadState()
        case .park: return suspendSession()
        case .sendRehearsed: return sendMessage(.rehearsed(load: load))
        case .sendReady(let digest): return sendMessage(.ready(digest: digest, load: load))
        case .resumeGuest: return resumeGuest()
        case .sendRunning(let epoch):
            // If the answer is lost, the source asks again; the VM runs in either case.
            _ = sendMessage(.running(epoch, own: own, resume: resume))
        case .refuse(let refusal): _ = sendMessage(.refused(refusal))
        case .sendNeverRan(let epoch): _ = sendMessage(.answer(.neverRan(epoch)))
        case .discardGuest:
            endStreams()
            session.shared.withLock { $0.guest }?.discardGuest()
        case .end: break
        }
        return nil
    }

    private func sendMessage(_ message: PeerMessage) -> Event? {
        // A suspended session has no connection.
        do { try control?.sendMessage(message) } catch {
            return .peerLost(MessageError.link(error).refusal)
        }
        return nil
    }

    private func prepareGuest(for offer: MigrationOffer) -> Event {
        guard let source = control?.peer.name else {
            return .prepareRefused(
                MigrationRefusal(.hostFailure, text: "no migration offers the VM"))
        }
        guard sessions.hasRoomForMemory else {
            return .prepareRefused(
                MigrationRefusal(
                    .busy, text: "\(Limits.sessionsMax) incoming migrations are running already"))
        }
        if let problem = offer.spec.problem {
            return .prepareRefused(MigrationRefusal(.badSpec, text: problem))
        }
        do throws(MigrationRefusal) {
            let guest = try buildGuest(for: offer, from: source)
            session.shared.withLock {
                $0.guest = guest
                $0.offer = offer
                $0.source = source
            }
            guard guest.layout.memory == offer.spec.memory else {
                return .failed(
                    MigrationRefusal(
                        .hostFailure, text: "the guest was built with \(guest.layout.memory)",
                        details: ["asked for \(offer.spec.memory)"]))
            }
            return .prepared
        } catch {
            return .prepareRefused(error)
        }
    }

    /// Builds the guest, which may take long. Meanwhile another thread shows the source that this host is alive.
    private func buildGuest(
        for offer: MigrationOffer, from source: HostName
    ) throws(MigrationRefusal) -> any DestinationGuest {
        let (runtime, control) = (runtime, control)
        let built: any WakeFlag
        let beacon: any RunningThread
        do throws(SystemError) {
            built = try runtime.makeWakeFlag()
            beacon = try runtime.startThread(name: "ferry-alive", nice: 0) { [built] in
                while (try? built.waitUntilSet(before: runtime.now + Limits.aliveInterval)) == false
                {
                    // The loss of the source is noticed when the driver waits for it.
                    try? control?.sendMessage(.alive(round: 0, remainingBytes: 0))
                }
            }
        } catch { throw MigrationRefusal(.hostFailure, text: "\(error)") }
        defer {
            built.setFlag()
            beacon.joinThread()
        }
        return try session.host.prepareGuest(for: offer, from: source)
    }

    private func writeRecord(_ record: LedgerRecord) -> Event {
        if case .owned = record, let guest = session.shared.withLock({ $0.guest }) {
            // A guest whose process has ended must not become owned: the source still has an intact one.
            do { try guest.checkIsReady() } catch {
                return .recordFailed(MigrationRefusal(.guestFailure, text: "\(error)"))
            }
        }
        let start = runtime.now
        do { try session.host.ledger.appendRecord(record) } catch {
            let code =
                if case .contradicts = error {
                    MigrationRefusal.Code.vmExists
                } else {
                    MigrationRefusal.Code.ledgerFailure
                }
            return .recordFailed(MigrationRefusal(code, text: "\(error)"))
        }
        let duration = runtime.now - start
        if case .owned = record { own = duration }
        if case .incoming = record {
            // Measured again, because one write may have met a busy disk. If this fails, the first measurement is used.
            let measured = (try? session.host.ledger.measureWrite()) ?? duration
            ledgerWrite = min(duration, measured)
        }
        return .recordWritten
    }

    private func acceptOffer() -> Event? {
        let token = (0..<MigrationProtocol.Limits.tokenBytes).map { _ in
            UInt8(truncatingIfNeeded: runtime.randomWord())
        }
        let kept = session.shared.withLock { shared -> (table: PageHashTable, seed: UInt64)? in
            guard let offer = shared.offer, let guest = shared.guest else { return nil }
            shared.streams.expectStreams(count: offer.streams, token: token)
            if let table = shared.table { return (table, offer.hashSeed) }
            shared.table = PageHashTable(pageCount: guest.layout.pageCount)
            return nil
        }
        guard let kept else {
            return sendMessage(.accepted(token: token, ledgerWrite: ledgerWrite, kept: nil))
        }
        return sendRetainedHashes(of: kept.table, seed: kept.seed, token: token)
    }

    /// No stream is open yet: the table does not change.
    private func sendRetainedHashes(of table: PageHashTable, seed: UInt64, token: [UInt8]) -> Event?
    {
        let ranges = table.presentRanges(pagesMax: MigrationProtocol.Limits.hashesMax)
        let count = ranges.reduce(0) { $0 + $1.count }
        let kept = KeptMemory(hashSeed: seed, pages: UInt64(count))
        if let lost = sendMessage(.accepted(token: token, ledgerWrite: ledgerWrite, kept: kept)) {
            return lost
        }
        for pages in ranges {
            let hashes = PeerMessage.hashes(
                firstPage: UInt64(pages.lowerBound), table.encodedBytes(of: pages))
            if let lost = sendMessage(hashes) { return lost }
        }
        return nil
    }

    private func loadState() -> Event {
        let start = runtime.now
        guard let guest = session.shared.withLock({ $0.guest }), let state else {
            return .failed(MigrationRefusal(.protocolViolation, text: "the source sent no state"))
        }
        self.state = nil
        do { try guest.loadDeviceState(from: state) } catch {
            return .failed(
                MigrationRefusal(
                    .badState, text: "the state cannot be loaded", details: ["\(error)"]))
        }
        load = runtime.now - start
        return .loaded
    }

    private func resumeGuest() -> Event {
        let start = runtime.now
        guard let guest = session.shared.withLock({ $0.guest }) else {
            return .resumeFailed(MigrationRefusal(.hostFailure, text: "the guest no longer exists"))
        }
        do { try guest.resumeExecution() } catch {
            return .resumeFailed(MigrationRefusal(.guestFailure, text: "\(error)"))
        }
        resume = runtime.now - start
        return .resumed
    }

    /// An offer may continue with the memory of an earlier connection. Only the first offer of a connection; a second
    /// one is not expected.
    func handleOffer(_ offer: MigrationOffer, from source: HostName) -> Event {
        if !hasOffer {
            hasOffer = true
            guard continueEarlierSession(for: offer, from: source) || isConnected else {
                return .refused(MigrationRefusal(.timedOut, text: "the source disconnected again"))
            }
        }
        return .offered(offer, from: source)
    }

    /// The source waits silently for the answer to its offer: it can only send an end.
    private var isConnected: Bool {
        (try? control?.waitForInput(wakingOn: session.undisturbed, until: runtime.now)) == .timedOut
    }

    /// The source has one connection per VM: a connection that is still open was lost, and the driver waits for its
    /// end. But a delayed offer must not end the session of a newer one. True if this offer continues the earlier
    /// session.
    private func continueEarlierSession(for offer: MigrationOffer, from source: HostName) -> Bool {
        let end = runtime.now + session.timing.deadPeerInHandover
        while isConnected, sessions.supersedeSession(of: offer.vm, from: source), runtime.now < end
        {
            _ = try? session.news.waitUntilSet(before: min(end, runtime.now + Limits.tick))
        }
        guard isConnected, let kept = sessions.removeSuspendedSession(of: offer.vm, from: source)
        else {
            return false
        }
        let parkedOffer = kept.shared.withLock { $0.loop.machine.parkedOffer }
        guard let parkedOffer, offer.canContinue(from: parkedOffer) else {
            let refusal = MigrationRefusal(.cancelled, text: "the source started a new migration")
            IncomingDriver(session: kept, control: nil, sessions: sessions)
                .endSuspendedSession(with: .failed(refusal))
            return false
        }
        kept.continueSession(with: offer)
        sessions.closeSession(session)
        session = kept
        session.host.didResumeMigration(for: offer, from: source)
        return true
    }

    /// Nil if the session was suspended; otherwise the event that arrived instead.
    private func suspendSession() -> Event? {
        drainStreams()
        endStreams()
        let (offer, source, failure) = session.shared.withLock {
            ($0.offer, $0.source, $0.streams.failure)
        }
        if case .damaged(let refusal) = failure { return .failed(refusal) }
        guard let offer, let source else {
            return .failed(MigrationRefusal(.hostFailure, text: "there is no memory to keep"))
        }
        let limit = session.timing.suspensionLimit
        session.host.didSuspendMigration(for: offer, from: source, limit: limit)
        // Done before another thread can take the session.
        session.shared.withLock { $0.loop.finishAction(with: nil) }
        sessions.suspendSession(session, offer: offer, from: source, until: runtime.now + limit)
        return nil
    }

    /// Data that has reached this host need not be sent again: streams whose connection was cut end by themselves after
    /// they have received it.
    private func drainStreams() {
        let end = runtime.now + session.timing.deadPeer
        var received = session.frames.load(ordering: .relaxed)
        var quiet = runtime.now + Limits.drainTimeout
        while session.shared.withLock({ $0.streams.active }) > 0, runtime.now < min(quiet, end) {
            _ = try? session.news.waitUntilSet(before: min(quiet, end))
            session.news.clearFlag()
            let frames = session.frames.load(ordering: .relaxed)
            if frames != received { quiet = runtime.now + Limits.drainTimeout }
            received = frames
        }
    }

    /// Ends the streams and waits until none of them writes to the memory any more.
    private func endStreams() {
        session.shared.withLock {
            $0.isEnding = true
            $0.streams.refuseFurtherStreams()
        }
        session.over.setFlag()
        while session.shared.withLock({ $0.streams.active }) > 0 {
            // `over` ends a stream's waits; what it does between two waits is short.
            _ = try? session.news.waitUntilSet(before: runtime.now + Limits.tick)
            session.news.clearFlag()
        }
    }

    private func finishSession(with ending: DestinationMachine.Ending) {
        endStreams()
        defer { sessions.closeSession(session) }
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
            sessions.retainGuest(
                UndecidedGuest(offer: offer, source: source, guest: guest, refusal: refusal))
            // An earlier ownership query or forced takeover resolved it, and found nothing to discard.
            let ownership = session.host.ledger.ownership(of: offer.vm)
            guard ownership?.isUndecided(after: offer.migration) != true,
                sessions.removeUndecidedGuest(of: offer.vm, migration: offer.migration) != nil
            else { return }
            guest.discardGuest()
            outcome = .discarded(refusal)
        }
        session.host.didFinishMigration(for: offer, from: source, outcome: outcome)
    }
}
