// Does what the destination's machine says, on the control connection's thread, and tells it what happened.

import Host
import MigrationProtocol
import Model
import PageCodec
import PeerLink
import Synchronization

/// The driver of one incoming migration. For one thread.
final class IncomingDriver {
    private typealias Event = DestinationMachine.Event
    private typealias Action = DestinationMachine.Action

    private let session: IncomingSession
    private let control: any Link
    private let undecided: SessionTable
    private var runtime: any MigrationRuntime { session.runtime }
    private var state: [UInt8]?
    private var ledgerWrite = Duration.zero
    private var load = Duration.zero
    private var own = Duration.zero
    private var resume = Duration.zero

    init(session: IncomingSession, control: any Link, undecided: SessionTable) {
        self.session = session
        self.control = control
        self.undecided = undecided
    }

    func run() {
        var events: [Event] = []
        control.silenceMax = session.timing.deadPeer
        control.setFlag(session.undisturbed)
        while true {
            let event = events.isEmpty ? nextEvent() : events.removeFirst()
            let actions = session.shared.withLock { $0.machine.handle(event) }
            for action in actions {
                if case .end(let ending) = action { return finish(ending) }
                if let event = perform(action) { events.append(event) }
            }
        }
    }

    private func perform(_ action: Action) -> Event? {
        switch action {
        case .prepare(let offer): return prepare(offer)
        case .write(let record): return write(record)
        case .accept: return accept()
        case .load: return loadState()
        case .park, .sendRehearsed: return .failed(MigrationRefusal(.hostFailure, "not kept"))
        case .sendReady(let root): return send(.ready(root: root, load: load))
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
        do { try control.send(message) } catch {
            return .peerLost(MessageError.link(error).words)
        }
        return nil
    }

    private func prepare(_ offer: MigrationOffer) -> Event {
        let source = control.peer.name
        if let problem = offer.spec.problem {
            return .prepareRefused(MigrationRefusal(.badSpec, problem))
        }
        do throws(MigrationRefusal) {
            let guest = try session.host.prepare(offer, from: source)
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
        session.shared.withLock {
            guard let offer = $0.offer, let guest = $0.guest else { return }
            $0.table = PageHashTable(pageCount: guest.layout.pageCount)
            $0.unclaimed = Set(0..<offer.streams)
            $0.token = token
        }
        return send(.accepted(token: token, ledgerWrite: ledgerWrite, kept: nil))
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

    /// What the source says next, or what a stream or the server has to say meanwhile.
    private func nextEvent() -> Event {
        var end = runtime.now + control.silenceMax
        while true {
            if let event = disturbance() { return event }
            do throws(LinkError) {
                switch try control.waitForInput(or: session.news, until: end) {
                case .wokenUp: session.news.clear()
                case .timedOut: throw .timedOut(after: control.silenceMax)
                case .ready:
                    if let event = received() { return event }
                    end = runtime.now + control.silenceMax
                }
            } catch {
                return .peerLost(MessageError.link(error).words)
            }
        }
    }

    private func disturbance() -> Event? {
        let (failure, isEnding, isCommitted) = session.shared.withLock {
            ($0.streamFailure, $0.isEnding, $0.machine.isCommitted)
        }
        // GO may be on its way: what ends now must end by the source's word.
        if isCommitted { return nil }
        if let failure { return .failed(failure) }
        return isEnding
            ? .failed(MigrationRefusal(.hostFailure, "the destination's agent is stopping")) : nil
    }

    /// The event of a message; nil when it only shows that the source is alive.
    private func received() -> Event? {
        let message: PeerMessage
        do { message = try control.receiveMessage() } catch {
            if case .malformed = error { return .failed(error.words) }
            return .peerLost(error.words)
        }
        switch message {
        case .offer(let offer): return .offered(offer, from: control.peer.name)
        case .alive: return nil
        case .state(let bytes):
            state = bytes
            control.silenceMax = session.timing.deadPeerInHandover
            return nil
        case .verify(let round, let root): return waitForStreams(round, root)
        case .go(let epoch): return .go(epoch)
        case .refused(let refusal): return .refused(refusal)
        default:
            return .failed(
                MigrationRefusal(
                    .protocolViolation, "\(message.name) does not belong to a control connection"))
        }
    }

    /// Waits until every stream has ended the last round.
    private func waitForStreams(_ round: Int, _ theirs: MemoryRoot) -> Event {
        let end = runtime.now + session.timing.deadPeerInHandover
        while true {
            if let event = disturbance() { return event }
            let (ended, streams) = session.shared.withLock {
                ($0.ended.values.filter { $0.round == round }, $0.offer?.streams ?? .max)
            }
            if ended.count == streams {
                let ours = ended.reduce(MemoryRoot.empty) { $0 + $1.root }
                return .complete(ours: ours, theirs: theirs)
            }
            do throws(LinkError) {
                switch try control.waitForInput(or: session.news, until: end) {
                case .wokenUp: session.news.clear()
                case .timedOut: throw .timedOut(after: session.timing.deadPeerInHandover)
                case .ready:
                    // Only an end or a "no" can come now.
                    if let event = received() { return event }
                }
            } catch {
                return .peerLost(MessageError.link(error).words)
            }
        }
    }

    /// Ends the streams and waits until none writes to the memory any more.
    private func endStreams() {
        session.shared.withLock {
            $0.isEnding = true
            $0.unclaimed = []
        }
        session.over.set()
        while session.shared.withLock({ $0.activeStreams }) > 0 {
            // A stream's waits are ended by `over`; what it does between waits is short.
            _ = try? session.news.wait(until: runtime.now + Limits.tick)
            session.news.clear()
        }
    }

    private func finish(_ ending: DestinationMachine.Ending) {
        endStreams()
        let (offer, guest) = session.shared.withLock { ($0.offer, $0.guest) }
        session.shared.withLock { $0.guest = nil }
        guard let offer, let guest else { return }
        let source = control.peer.name
        let outcome: IncomingOutcome
        switch ending {
        case .running(let epoch): outcome = .running(epoch)
        case .ownedButStopped(let epoch, let refusal):
            outcome = .ownedButStopped(epoch, refusal)
        case .refused(let refusal), .discarded(let refusal): outcome = .discarded(refusal)
        case .undecided(let refusal):
            undecided.keep(
                UndecidedGuest(offer: offer, source: source, guest: guest, refusal: refusal))
            // A question or a ruling that came before has decided it, and found nothing to discard.
            let ownership = session.host.ledger.ownership(of: offer.vm)
            guard ownership?.isUndecided(offer.migration) != true,
                undecided.takeUndecided(offer.vm, offer.migration) != nil
            else { return }
            guest.discard()
            outcome = .discarded(refusal)
        }
        session.host.finished(offer, from: source, outcome: outcome)
    }
}
