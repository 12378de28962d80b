// What the destination's machine is told: by the source, by the streams, by the server.

import Host
import MigrationProtocol
import Model
import PeerLink
import Synchronization

extension IncomingDriver {
    /// What the source says next, or what a stream or the server has to say meanwhile.
    func nextEvent() -> Event {
        guard let control else {
            return .failed(MigrationRefusal(.hostFailure, text: "nobody is connected"))
        }
        var end = runtime.now + control.silenceMax
        var lost: MigrationRefusal?
        while true {
            if let event = nextDisturbance(streamLoss: &lost, deadline: &end) { return event }
            do throws(LinkError) {
                switch try control.waitForInput(wakingOn: session.news, until: end) {
                case .wokenUp: session.news.clearFlag()
                case .timedOut:
                    if let lost { return .peerLost(lost) }
                    throw .timedOut(after: control.silenceMax)
                case .ready:
                    if let event = receiveEvent(from: control) { return event }
                    if lost == nil { end = runtime.now + control.silenceMax }
                }
            } catch {
                return .peerLost(MessageError.link(error).refusal)
            }
        }
    }

    /// A stream that was lost leaves the source little time for its last words: it may have said no before.
    private func nextDisturbance(
        streamLoss lost: inout MigrationRefusal?, deadline end: inout Instant
    ) -> Event? {
        let (failure, isEnding, isSuperseded, isCommitted) = session.shared.withLock {
            ($0.streams.failure, $0.isEnding, $0.isSuperseded, $0.loop.machine.isCommitted)
        }
        // GO may be on its way: what ends now must end by the source's word.
        if isCommitted { return nil }
        if case .damaged(let refusal) = failure { return .failed(refusal) }
        if isEnding {
            return .failed(
                MigrationRefusal(.hostFailure, text: "the destination's agent is stopping"))
        }
        if isSuperseded {
            return .peerLost(MigrationRefusal(.timedOut, text: "the source has connected anew"))
        }
        if case .lost(let words) = failure, lost == nil {
            lost = words
            end = min(end, runtime.now + Limits.lastWordsTimeout)
        }
        return nil
    }

    /// The event of a message; nil when it only shows that the source is alive.
    private func receiveEvent(from control: any Link) -> Event? {
        let message: PeerMessage
        do { message = try control.receiveMessage() } catch {
            if case .malformed = error { return .failed(error.refusal) }
            return .peerLost(error.refusal)
        }
        switch message {
        case .offer(let offer): return handleOffer(offer, from: control.peer.name)
        case .alive: return nil
        case .state(let bytes):
            state = bytes
            control.silenceMax = session.timing.deadPeerInHandover
            return nil
        case .rehearse(let bytes):
            state = bytes
            return .rehearse
        case .verify(let round, let digest):
            return waitForStreams(endingRound: round, peerDigest: digest, control: control)
        case .go(let epoch): return .go(epoch)
        case .refused(let refusal): return .refused(refusal)
        default:
            return .failed(
                MigrationRefusal(
                    .protocolViolation,
                    text: "\(message.name) does not belong to a control connection"))
        }
    }

    /// Waits until every stream has ended the last round.
    private func waitForStreams(
        endingRound round: Int, peerDigest theirs: MemoryDigest, control: any Link
    ) -> Event {
        var end = runtime.now + session.timing.deadPeerInHandover
        var lost: MigrationRefusal?
        while true {
            let ours = session.shared.withLock {
                $0.streams.memoryDigest(ofRound: round, streams: $0.offer?.streams ?? .max)
            }
            if let event = nextDisturbance(streamLoss: &lost, deadline: &end) { return event }
            if let ours { return .complete(ours: ours, theirs: theirs) }
            do throws(LinkError) {
                switch try control.waitForInput(wakingOn: session.news, until: end) {
                case .wokenUp: session.news.clearFlag()
                case .timedOut:
                    if let lost { return .peerLost(lost) }
                    throw .timedOut(after: session.timing.deadPeerInHandover)
                case .ready:
                    // Only an end or a "no" can come now.
                    if let event = receiveEvent(from: control) { return event }
                }
            } catch {
                return .peerLost(MessageError.link(error).refusal)
            }
        }
    }
}
