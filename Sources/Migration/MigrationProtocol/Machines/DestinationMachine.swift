// The destination of a migration as a value: its next actions, and the records that it writes before them.
//
//  waiting ─offer▶ preparing ─▶ recording ─▶ receiving ─all here▶ loading ─▶ ready ─GO▶ owning ─▶ resuming ─▶ ended
//                     │ no         │            │      digests agree   │         │          │ written    running
//                     ▼            └────────────┴───────────┬────────┴─────────┘          │
//                   ended               loss, refusal, failure                  not written
//                                                           ▼                             ▼
//                                     ended ◀─ discard ◀─ refusing: write neverRan ◀──────┘
//
// receiving ─loss▶ suspended: the received memory is retained for a time. An offer that can continue with it leads to
// recording again, the end of the time leads to refusing. In a rehearsal the state is loaded for trial, and only the
// end can follow.
//
// The guest runs only after `owned` is on disk. In all other cases `neverRan` is written, so that a source that asks
// gets a definite answer, and the guest is discarded only after that. If, after GO, neither record can be written, the
// content of the disk is unknown: the guest is retained, paused, and the ending is `undecided` until an ownership query
// is answered.

package import Model
package import Ownership

/// The destination's machine.
package struct DestinationMachine: Hashable, Sendable {
    package enum Event: Hashable, Sendable {
        case offered(MigrationOffer, from: HostName)
        case prepared
        case prepareRefused(MigrationRefusal)
        case recordWritten
        case recordFailed(MigrationRefusal)
        /// Every stream has ended the last round, and the state and the source's digest have arrived.
        case complete(ours: MemoryDigest, theirs: MemoryDigest)
        /// The state of a rehearsal has arrived.
        case rehearse
        case loaded
        /// The retained memory was not requested in time.
        case expired
        case go(Epoch)
        case resumed
        case resumeFailed(MigrationRefusal)
        /// The source's refusal.
        case refused(MigrationRefusal)
        /// The connection broke, or the source was silent for too long; the refusal contains the reason.
        case peerLost(MigrationRefusal)
        /// Something failed on this side.
        case failed(MigrationRefusal)
    }

    package enum Action: Hashable, Sendable {
        case prepare(MigrationOffer)
        case write(LedgerRecord)
        case accept
        case load
        case sendReady(MemoryDigest)
        case sendRehearsed
        /// Ends the session's connections and retains guest and hashes until an offer can continue with them, or until
        /// the time is up.
        case park
        case resumeGuest
        case sendRunning(Epoch)
        /// Our refusal, to the source.
        case refuse(MigrationRefusal)
        /// The answer to a query that the source would send otherwise.
        case sendNeverRan(Epoch)
        case discardGuest
        case end(Ending)
    }

    package enum Ending: Hashable, Sendable {
        /// Before anything could be retained.
        case refused(MigrationRefusal)
        case running(Epoch)
        case ownedButStopped(Epoch, MigrationRefusal)
        case discarded(MigrationRefusal)
        case undecided(MigrationRefusal)
    }

    private enum State: Hashable, Sendable {
        case waiting
        case preparing(MigrationOffer, HostName)
        case recording(MigrationOffer)
        case receiving(MigrationOffer)
        case parked(MigrationOffer)
        case trying(MigrationOffer)
        case tried(MigrationOffer)
        case loading(MigrationOffer, MemoryDigest)
        case ready(MigrationOffer)
        case owning(MigrationOffer)
        case resuming(MigrationOffer)
        /// `neverRan` is being written. `released`: the source has sent GO and waits for an answer.
        case refusing(MigrationOffer, MigrationRefusal, released: Bool)
        case ended(Ending)
    }

    private var state = State.waiting
    private let parks: Bool

    /// - Parameter parks: whether the memory of a failed attempt is retained.
    package init(parks: Bool = false) { self.parks = parks }

    /// The offer under which the retained memory arrived; nil if none is retained.
    package var parkedOffer: MigrationOffer? {
        if case .parked(let offer) = state { offer } else { nil }
    }

    package var isEnded: Bool {
        if case .ended = state { true } else { false }
    }

    /// GO has arrived, or may be in transit: the session must not be ended from outside.
    package var isCommitted: Bool {
        switch state {
        case .ready, .owning, .resuming, .refusing: true
        case .waiting, .preparing, .recording, .receiving, .parked, .trying, .tried, .loading,
            .ended:
            false
        }
    }

    package mutating func handleEvent(_ event: Event) -> [Action] {
        switch (state, event) {
        case (.waiting, .offered(let offer, let source)):
            state = .preparing(offer, source)
            return [.prepare(offer)]
        case (.preparing, .prepareRefused(let refusal)):
            return [.refuse(refusal)] + endSession(with: .refused(refusal))
        case (.preparing(let offer, let source), .prepared):
            state = .recording(offer)
            return [
                .write(
                    .incoming(
                        vm: offer.vm, epoch: offer.nextEpoch, from: source,
                        migration: offer.migration))
            ]
        case (.recording(let offer), .recordWritten):
            state = .receiving(offer)
            return [.accept]
        // Nothing was written or accepted: no `neverRan` is required.
        case (.recording, .recordFailed(let refusal)):
            return [.discardGuest, .refuse(refusal)] + endSession(with: .discarded(refusal))
        case (.receiving(let offer), .complete(let ours, let theirs)) where !offer.isRehearsal:
            return verifyMemory(of: offer, ours: ours, theirs: theirs)
        case (.receiving(let offer), .rehearse) where offer.isRehearsal:
            state = .trying(offer)
            return [.load]
        case (.trying(let offer), .loaded):
            state = .tried(offer)
            return [.sendRehearsed]
        case (.receiving(let offer), .peerLost) where parks && !offer.isRehearsal:
            state = .parked(offer)
            return [.park]
        case (.parked(let kept), .offered(let offer, let source))
        where offer.canContinue(from: kept):
            state = .recording(offer)
            return [
                .write(
                    .incoming(
                        vm: offer.vm, epoch: offer.nextEpoch, from: source,
                        migration: offer.migration))
            ]
        case (.parked(let offer), .expired):
            return refuseOffer(
                offer,
                with: MigrationRefusal(.timedOut, text: "the source did not reconnect in time"))
        // The connection is already lost.
        case (.parked, .peerLost): return []
        case (.loading(let offer, let digest), .loaded):
            state = .ready(offer)
            return [.sendReady(digest)]
        case (.ready(let offer), .go(let epoch)) where epoch == offer.nextEpoch:
            state = .owning(offer)
            return [
                .write(.owned(vm: offer.vm, epoch: offer.nextEpoch, migration: offer.migration))
            ]
        default: return handleEndEvent(event)
        }
    }

    private mutating func verifyMemory(
        of offer: MigrationOffer, ours: MemoryDigest, theirs: MemoryDigest
    ) -> [Action] {
        guard ours == theirs else {
            let refusal = MigrationRefusal(
                .memoryDiffers, text: "the memory digests differ",
                details: ["source \(theirs)", "destination \(ours)"])
            return refuseOffer(offer, with: refusal)
        }
        state = .loading(offer, ours)
        return [.load]
    }

    private mutating func handleEndEvent(_ event: Event) -> [Action] {
        switch (state, event) {
        case (.owning(let offer), .recordWritten):
            state = .resuming(offer)
            return [.resumeGuest]
        case (.owning(let offer), .recordFailed(let refusal)):
            state = .refusing(offer, refusal, released: true)
            return [neverRanWrite(for: offer)]
        case (.resuming(let offer), .resumed):
            return [.sendRunning(offer.nextEpoch)] + endSession(with: .running(offer.nextEpoch))
        // The VM is owned here, running or not: the source must not take it back.
        case (.resuming(let offer), .resumeFailed(let refusal)):
            return [.sendRunning(offer.nextEpoch)]
                + endSession(with: .ownedButStopped(offer.nextEpoch, refusal))
        case (.refusing(let offer, let refusal, let released), .recordWritten):
            let words = released ? Action.sendNeverRan(offer.nextEpoch) : .refuse(refusal)
            return [words, .discardGuest] + endSession(with: .discarded(refusal))
        case (.refusing(_, let refusal, released: false), .recordFailed):
            // GO is never sent to a peer that has our refusal; the next start finds `incoming` and discards.
            return [.refuse(refusal), .discardGuest] + endSession(with: .discarded(refusal))
        case (.refusing(_, let refusal, released: true), .recordFailed):
            return [.refuse(refusal)] + endSession(with: .undecided(refusal))
        default: return handleFailureEvent(event)
        }
    }

    private mutating func handleFailureEvent(_ event: Event) -> [Action] {
        let refusal: MigrationRefusal
        switch event {
        case .refused(let words), .peerLost(let words), .failed(let words): refusal = words
        case .go, .complete, .rehearse, .offered:
            refusal = MigrationRefusal(
                .protocolViolation, text: "the message is not expected in this state")
        default: return []
        }
        switch state {
        case .waiting: return [.refuse(refusal)] + endSession(with: .refused(refusal))
        case .preparing:
            return [.discardGuest, .refuse(refusal)] + endSession(with: .discarded(refusal))
        case .receiving(let offer), .recording(let offer), .parked(let offer), .trying(let offer),
            .tried(let offer), .loading(let offer, _), .ready(let offer):
            return refuseOffer(offer, with: refusal)
        case .owning, .resuming, .refusing, .ended: return []
        }
    }

    private mutating func refuseOffer(
        _ offer: MigrationOffer, with refusal: MigrationRefusal
    ) -> [Action] {
        state = .refusing(offer, refusal, released: false)
        return [neverRanWrite(for: offer)]
    }

    private func neverRanWrite(for offer: MigrationOffer) -> Action {
        .write(.neverRan(vm: offer.vm, epoch: offer.nextEpoch, migration: offer.migration))
    }

    private mutating func endSession(with ending: Ending) -> [Action] {
        state = .ended(ending)
        return [.end(ending)]
    }
}
