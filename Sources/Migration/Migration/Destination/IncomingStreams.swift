// Which data streams an incoming session expects, has, and what they brought.

import Model
import MigrationProtocol
import PageCodec

/// Why a stream ended before its session.
enum StreamFailure: Sendable {
    case lost(MigrationRefusal)
    /// It carried what cannot be valid: nothing of the session is to be trusted.
    case damaged(MigrationRefusal)
}

/// The streams of one session, from the token that admits them to the end of their last round.
struct IncomingStreams {
    private(set) var active = 0
    private(set) var failure: StreamFailure?
    private var token: [UInt8] = []
    private var unclaimed: Set<Int> = []
    /// For each stream that ended a round: which one, and its part of the digest.
    private var ended: [Int: (round: Int, digest: MemoryDigest)] = [:]

    /// From now on each of the streams may claim its place once, with this token.
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

    /// False when the stream is not expected, or is there already.
    mutating func claimStream(number stream: Int) -> Bool {
        guard unclaimed.remove(stream) != nil else { return false }
        active += 1
        return true
    }

    mutating func releaseStream() { active -= 1 }

    mutating func recordRoundEnd(round: Int, stream: Int, digest: MemoryDigest) {
        ended[stream] = (round, digest)
    }

    /// The digest of memory once this many streams have ended the round; nil before.
    func memoryDigest(ofRound round: Int, streams: Int) -> MemoryDigest? {
        let ended = ended.values.filter { $0.round == round }
        guard ended.count == streams else { return nil }
        return ended.reduce(MemoryDigest.empty) { $0 + $1.digest }
    }

    /// Damage counts for more than a loss, and the first failure for more than the next.
    mutating func recordFailure(_ failure: StreamFailure) {
        switch (self.failure, failure) {
        case (nil, _), (.lost, .damaged): self.failure = failure
        case (.lost, .lost), (.damaged, _): break
        }
    }
}

/// Takes the same time wherever the first difference is.
private func isEqualInConstantTime(_ left: [UInt8], to right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}
