// The messages between source and destination outside the data streams.
//
// Each message is an 8-byte header and a body, little-endian:
//
//   0  UInt32  bytes of the body, bounded by the kind
//   4  UInt16  kind
//   6  UInt16  zero
//
//   source                                   destination
//   hello(versions, purpose) ─────────────▶
//                            ◀───────────── welcome(version) | refused
//   control:  offer          ─────────────▶
//                            ◀───────────── alive …, while the guest is being built
//                            ◀───────────── accepted(token, …) | refused
//                            ◀───────────── hashes …, when memory of an interrupted attempt is retained
//             alive …        ─────────────▶
//             rehearse       ─────────────▶   a rehearsal ends with these two
//                            ◀───────────── rehearsed
//             state, verify  ─────────────▶
//                            ◀───────────── ready(digest, …) | refused
//             go             ─────────────▶
//                            ◀───────────── running(epoch, …) | answer(neverRan)
//   data:     page frames (PageCodec) after the welcome, no replies
//   question: question | notice ──────────▶
//                            ◀───────────── answer | refused
//
// Either side may send `refused` at any time before `go`: it ends the migration with the sender's reason.

package import Model
package import Ownership

/// The bytes of one page's hash in `hashes`.
package let hashBytes = 16

/// The purpose of a connection, stated in its first message.
package enum ConnectionPurpose: Hashable, Sendable {
    case control
    /// A data stream of the session with this token.
    case data(token: [UInt8], stream: Int)
    case question
}

package enum PeerMessage: Hashable, Sendable {
    case hello(versions: ClosedRange<UInt16>, ConnectionPurpose)
    case welcome(version: UInt16)
    case refused(MigrationRefusal)
    case offer(MigrationOffer)
    /// `ledgerWrite`: the time that the destination's ledger took for its record, a term of the predicted downtime.
    /// `kept`: what it retains of an interrupted attempt; its hashes follow immediately.
    case accepted(token: [UInt8], ledgerWrite: Duration, kept: KeptMemory?)
    /// Hashes of pages from `firstPage` on, 16 bytes each.
    case hashes(firstPage: UInt64, [UInt8])
    /// From the source: pre-copy continues; the round and its remaining bytes. From the destination, with zeros: it is
    /// building the guest. Sent at least once per second.
    case alive(round: Int, remainingBytes: UInt64)
    case state([UInt8])
    /// A current state, to be loaded for trial and discarded; it does not correspond to the memory.
    case rehearse(state: [UInt8])
    /// The state could be loaded.
    case rehearsed(load: Duration)
    /// Everything was sent: memory is complete when every stream has ended this round.
    case verify(round: Int, digest: MemoryDigest)
    /// Memory and state have arrived and are verified; the guest does not run until GO.
    case ready(digest: MemoryDigest, load: Duration)
    case go(Epoch)
    case running(Epoch, own: Duration, resume: Duration)
    case question(OwnershipQuestion)
    case takeoverNotice(TakeoverNotice)
    case answer(OwnershipAnswer)

    package var name: String {
        switch self {
        case .hello: "hello"
        case .welcome: "welcome"
        case .refused: "refused"
        case .offer: "offer"
        case .accepted: "accepted"
        case .hashes: "hashes"
        case .alive: "alive"
        case .state: "state"
        case .rehearse: "rehearse"
        case .rehearsed: "rehearsed"
        case .verify: "verify"
        case .ready: "ready"
        case .go: "go"
        case .running: "running"
        case .question: "question"
        case .takeoverNotice: "overrule"
        case .answer: "answer"
        }
    }
}

/// Memory of an interrupted attempt that the destination has retained.
package struct KeptMemory: Hashable, Sendable {
    /// The seed of its hashes: the attempt that continues uses it.
    package var hashSeed: UInt64
    /// The number of hashes that follow.
    package var pages: UInt64

    package init(hashSeed: UInt64, pages: UInt64) {
        self.hashSeed = hashSeed
        self.pages = pages
    }
}

/// The highest version that both sides support; nil if there is none.
package func agreedVersion(
    ours: ClosedRange<UInt16>, theirs: ClosedRange<UInt16>
) -> UInt16? {
    ours.overlaps(theirs) ? min(ours.upperBound, theirs.upperBound) : nil
}
