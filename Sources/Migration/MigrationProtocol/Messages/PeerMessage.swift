// What source and destination say to each other outside the data streams.
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
//                            ◀───────────── hashes …, when memory of a broken attempt is still there
//             alive …        ─────────────▶
//             rehearse       ─────────────▶   a rehearsal ends with these two
//                            ◀───────────── rehearsed
//             state, verify  ─────────────▶
//                            ◀───────────── ready(digest, …) | refused
//             go             ─────────────▶
//                            ◀───────────── running(epoch, …) | answer(neverRan)
//   data:     page frames (PageCodec) after the welcome, nothing back
//   question: question | notice ──────────▶
//                            ◀───────────── answer | refused
//
// `refused` may come from either side at any time before `go`: it ends the migration with the sender's words.

package import Model
package import Ownership

/// Bytes of one page's hash in `hashes`.
package let hashBytes = 16

/// What a connection is for; told in its first message.
package enum ConnectionPurpose: Hashable, Sendable {
    case control
    /// A data stream of the session that has this token.
    case data(token: [UInt8], stream: Int)
    case question
}

package enum PeerMessage: Hashable, Sendable {
    case hello(versions: ClosedRange<UInt16>, ConnectionPurpose)
    case welcome(version: UInt16)
    case refused(MigrationRefusal)
    case offer(MigrationOffer)
    /// `ledgerWrite`: how long the destination's ledger took for its record, a term of the downtime to come.
    /// `kept`: what it still has of an attempt that broke; its hashes follow at once.
    case accepted(token: [UInt8], ledgerWrite: Duration, kept: KeptMemory?)
    /// Hashes of pages from `firstPage` on, 16 bytes each.
    case hashes(firstPage: UInt64, [UInt8])
    /// From the source, pre-copy goes on: round and bytes that remain in it. From the destination, zeros: it builds
    /// the guest. Comes at least every second.
    case alive(round: Int, remainingBytes: UInt64)
    case state([UInt8])
    /// The state of this moment, to be tried and thrown away: memory does not belong to it.
    case rehearse(state: [UInt8])
    /// The state could be loaded.
    case rehearsed(load: Duration)
    /// All was sent: memory is complete when every stream has ended this round.
    case verify(round: Int, digest: MemoryDigest)
    /// Memory and state are here and right; nothing runs until GO.
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

/// Memory of a broken attempt that the destination still has.
package struct KeptMemory: Hashable, Sendable {
    /// The seed of its hashes: the attempt that goes on uses it.
    package var hashSeed: UInt64
    /// How many hashes follow.
    package var pages: UInt64

    package init(hashSeed: UInt64, pages: UInt64) {
        self.hashSeed = hashSeed
        self.pages = pages
    }
}

/// The version that both sides speak, the highest; nil when there is none.
package func agreedVersion(
    ours: ClosedRange<UInt16>, theirs: ClosedRange<UInt16>
) -> UInt16? {
    ours.overlaps(theirs) ? min(ours.upperBound, theirs.upperBound) : nil
}
