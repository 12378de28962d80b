// What is seen of a migration from outside: while it goes on, and when it is over.

/// How pages that are not zero are encoded on the wire.
public enum Compression: String, Hashable, Sendable, Codable, CaseIterable {
    case none, lz4, zstd, zlib
    /// Chosen while it runs, from what CPU and link can do.
    case auto
}

/// A snapshot of a migration under way.
public struct MigrationProgress: Hashable, Sendable, Codable {
    public var phase: MigrationPhase = .connect
    /// Pre-copy round, from 1; 0 before the first.
    public var round = 0
    public var elapsed: Duration = .zero
    /// Guest memory still to send in this round.
    public var remainingBytes: UInt64 = 0
    /// Guest memory in all.
    public var memoryBytes: UInt64 = 0
    /// Pages the guest dirties in a second, over the last round; nil before it is known.
    public var dirtyPagesPerSecond: Double?
    /// Bytes on the wire in a second, lately.
    public var wireBytesPerSecond: Double = 0
    public var wireBytes: UInt64 = 0
    /// What the pause would last if the handover came now; nil before it is known.
    public var predictedDowntime: Duration?
    /// How much of their time vCPUs are held back to let the migration converge, in percent.
    public var throttlePercent = 0
    /// The connection is lost, and this attempt to connect again is under way; nil while it is connected.
    public var reconnectAttempt: Int?

    public init() {}
}

/// A migration that ended well.
public struct MigrationReport: Hashable, Sendable {
    public var total: Duration = .zero
    /// Pause to resume, as the source's clock saw it.
    public var downtime: Duration = .zero
    /// How long each phase took.
    public var phases: [PhaseDuration] = []
    public var rounds = 0
    /// Bytes sent on all streams, TLS payload with framing.
    public var wireBytes: UInt64 = 0
    /// Guest bytes of the pages sent, zero pages included.
    public var pageBytesSent: UInt64 = 0
    public var pagesSent: UInt64 = 0
    public var zeroPages: UInt64 = 0
    /// Dirty pages that held what the destination had already.
    public var unchangedPages: UInt64 = 0
    /// Connections that were lost and made again.
    public var reconnects = 0
    /// Guest bytes that were sent again, the same, because they were lost with a connection.
    public var bytesSentAgain: UInt64 = 0
    public var streams = 1
    public var compression = Compression.none
    public var predictedDowntime: Duration = .zero
    /// Pages whose hash was compared at both ends before the handover, all of them.
    public var verifiedPages: UInt64 = 0
    /// The digest of those hashes: equal at both ends.
    public var memoryDigest = ""
    /// The second look at the source's memory, after the handover.
    public var verification = MemoryVerification(.off)
    /// What a rehearsal found; nil for a migration.
    public var rehearsal: Rehearsal?

    public init() {}

    /// Guest bytes of non-zero pages for each byte on the wire.
    public var compressionRatio: Double {
        let payload = pageBytesSent - min(pageBytesSent, zeroPages * UInt64(pageBytes))
        return wireBytes == 0 ? 1 : Double(payload) / Double(wireBytes)
    }
}

/// What a rehearsal found out: everything that a migration would meet, but the handover.
public struct Rehearsal: Hashable, Sendable, Codable {
    /// The one pause of the VM: for saving its state.
    public var pause: Duration = .zero
    /// How long the destination took to load the state.
    public var load: Duration = .zero
    public var stateBytes = 0
    /// How long the VM would stand still: as expected, and between which bounds.
    public var downtimeLower: Duration = .zero
    public var downtime: Duration = .zero
    public var downtimeUpper: Duration = .zero
    public var downtimeLimit = DowntimeLimit.usual
    /// Pages the guest dirties in a second.
    public var dirtyPagesPerSecond = 0.0
    /// Bytes on the wire in a second, over all rounds.
    public var wireBytesPerSecond = 0.0
    /// The guest writes too fast for the limit unless its vCPUs are held back, as a migration would.
    public var wouldThrottle = false

    public init() {}
}

/// The frozen memory that a VM left behind, hashed again and compared with what was sent.
public struct MemoryVerification: Hashable, Sendable, Codable {
    public enum State: String, Hashable, Sendable, Codable, CaseIterable {
        case off
        case running
        case clean
        /// Pages changed after they were last sent: the destination runs with old copies of them.
        case differs
        /// Ended before it had seen all of memory.
        case unfinished
    }

    /// Pages whose numbers are kept.
    public static let differingPagesMax = 64

    public var state: State
    /// Pages that were looked at.
    public var pages: UInt64 = 0
    public var duration: Duration = .zero
    public var differing: UInt64 = 0
    /// The first of them, by their number in the memory file.
    public var differingPages: [UInt64] = []

    public init(_ state: State) { self.state = state }

    public mutating func addDifferingPage(_ page: UInt64) {
        differing += 1
        if differingPages.count < Self.differingPagesMax { differingPages.append(page) }
    }
}

/// How long one phase took.
public struct PhaseDuration: Hashable, Sendable, Codable {
    public var phase: MigrationPhase
    public var duration: Duration

    public init(phase: MigrationPhase, duration: Duration) {
        self.phase = phase
        self.duration = duration
    }
}
