// The events that the destination's machine receives from the source, the streams and the server.

import Host
import MigrationProtocol
import Model
import PeerLink
import Synchronization

extension IncomingDriver {
    /// The next event, from the source, from a stream or from the server.
    func nextEvent() -> Event {
        guard let control else {
            return .failed(MigrationRefusal(.hostFailure, text: "the source is not connected"))
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

    /// After the loss of a stream the source has little time for a last message: it may already have refused.
    private func nextDisturbance(
        streamLoss lost: inout MigrationRefusal?, deadline end: inout Instant
    ) -> Event? {
        let (failure, isEnding, isSuperseded, isCommitted) = session.shared.withLock {
            ($0.streams.failure, $0.isEnding, $0.isSuperseded, $0.loop.machine.isCommitted)
        }
        // GO may be in transit: from here on only a message of the source may end the session.
        if isCommitted { return nil }
        if case .damaged(let refusal) = failure { return .failed(refusal) }
        if isEnding {
            return .failed(
                MigrationRefusal(.hostFailure, text: "the destination's agent is stopping"))
        }
        if isSuperseded {
            return .peerLost(
                MigrationRefusal(.timedOut, text: "the source opened a new connection"))
        }
        if case .lost(let words) = failure, lost == nil {
            lost = words
            end = min(end, runtime.now + Limits.lastWordsTimeout)
        }
        return nil
    }

    /// The event of a message; nil if the message only shows that the source is alive.
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
                    text: "\(message.name) is not a message of a control connection"))
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
                    // Only an end or a refusal can arrive now.
                    if let event = receiveEvent(from: control) { return event }
                }
            } catch {
                return .peerLost(MessageError.link(error).refusal)
            }
        }
    }
}
