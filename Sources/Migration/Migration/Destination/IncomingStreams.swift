// The data streams of an incoming session: which ones it expects, which are open, and what they received.

import Model
import MigrationProtocol
import PageCodec

/// Why a stream ended before its session.
enum StreamFailure: Sendable {
    case lost(MigrationRefusal)
    /// It carried invalid data: nothing of the session can be trusted.
    case damaged(MigrationRefusal)
}

/// The streams of one session, from the token that admits them to the end of their last round.
struct IncomingStreams {
    private(set) var active = 0
    private(set) var failure: StreamFailure?
    private var token: [UInt8] = []
    private var unclaimed: Set<Int> = []
    /// For each stream that ended a round: the round, and the stream's part of the digest.
    private var ended: [Int: (round: Int, digest: MemoryDigest)] = [:]

    /// From now on each stream may claim its place once, with this token.
    mutating func expectStreams(count: Int, token: [UInt8]) {
        unclaimed = Set(0..<count)
        self.token = token
    }

    mutating func refuseFurtherStreams() { unclaimed = [] }

    /// A new connection continues the session.
    mutating func forgetRounds() {
        failure = nil
        ended = [:]
    }

    func isTokenValid(_ token: [UInt8]) -> Bool {
        !self.token.isEmpty && isEqualInConstantTime(self.token, to: token)
    }

    /// False if the stream is not expected, or is already open.
    mutating func claimStream(number stream: Int) -> Bool {
        guard unclaimed.remove(stream) != nil else { return false }
        active += 1
        return true
    }

    mutating func releaseStream() { active -= 1 }

    mutating func recordRoundEnd(round: Int, stream: Int, digest: MemoryDigest) {
        ended[stream] = (round, digest)
    }

    /// The digest of memory after this many streams have ended the round; nil before.
    func memoryDigest(ofRound round: Int, streams: Int) -> MemoryDigest? {
        let ended = ended.values.filter { $0.round == round }
        guard ended.count == streams else { return nil }
        return ended.reduce(MemoryDigest.empty) { $0 + $1.digest }
    }

    /// Damage takes precedence over a loss, and the first failure over later ones.
    mutating func recordFailure(_ failure: StreamFailure) {
        switch (self.failure, failure) {
        case (nil, _), (.lost, .damaged): self.failure = failure
        case (.lost, .lost), (.damaged, _): break
        }
    }
}

/// Compares in constant time, wherever the first difference is.
private func isEqualInConstantTime(_ left: [UInt8], to right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}
