// Migrations as the source's agent shows them: while they go on, and how they ended.

package import Model

/// A migration to be started.
package struct StartMigration: Hashable, Sendable, Codable {
    package var vm: VMName
    package var to: HostName
    /// The longest pause it may cause; nil for the VM's own limit.
    package var downtimeLimit: DowntimeLimit?
    package var streams: Int?
    package var compression: Compression?
    /// Everything but the handover: the VM stays where it is. Nil for false.
    package var rehearse: Bool?
    /// Look at the source's memory once more after the handover. Nil for true.
    package var audit: Bool?
    /// Chosen by who asks, so that a request that is sent twice starts one migration. Nil: the agent chooses.
    package var id: MigrationID?
    /// "IP:PORT" where the destination takes migrations. Nil: what the source's cluster file says.
    package var peerAddress: String?

    enum CodingKeys: String, CodingKey {
        case vm, to
        case downtimeLimit = "downtimeLimitMs"
        case streams, compression, rehearse, audit, id, peerAddress
    }

    package init(
        vm: VMName, to: HostName, downtimeLimit: DowntimeLimit? = nil, streams: Int? = nil,
        compression: Compression? = nil, rehearse: Bool? = nil, audit: Bool? = nil,
        id: MigrationID? = nil, peerAddress: String? = nil
    ) {
        self.id = id
        self.peerAddress = peerAddress
        self.audit = audit
        self.rehearse = rehearse
        self.vm = vm
        self.to = to
        self.downtimeLimit = downtimeLimit
        self.streams = streams
        self.compression = compression
    }

    /// - Parameter usual: the VM's own limit.
    package func checkedDowntimeLimit(usual: DowntimeLimit) throws(Problem) -> DowntimeLimit {
        let limit = downtimeLimit ?? usual
        if let problem = limit.problem { throw Problem(.invalid, detail: problem) }
        return limit
    }

    package func checkedStreams(usual: Int) throws(Problem) -> Int {
        let streams = streams ?? usual
        guard (1...Limits.streamsMax).contains(streams) else {
            throw Problem(.invalid, detail: "streams is \(streams): use 1 to \(Limits.streamsMax)")
        }
        return streams
    }
}

package struct MigrationInfo: Hashable, Sendable, Codable {
    package enum State: String, Hashable, Sendable, Codable, CaseIterable {
        case running
        case succeeded
        /// A rehearsal that went well; the VM runs on at the source.
        case rehearsed
        /// The VM runs on at the source, unless `failure` says otherwise.
        case failed
        /// Ended because somebody asked for it; the VM runs on at the source.
        case cancelled
    }

    package var id: MigrationID
    package var vm: VMName
    package var vmID: VMID
    package var source: HostName
    package var destination: HostName
    /// Milliseconds since 1970.
    package var startedAtMs: Int64
    package var state: State
    package var progress: ProgressInfo?
    /// Nil after a success, too, when the source's agent ended before it could tell.
    package var report: ReportInfo?
    package var failure: FailureInfo?

    package init(
        id: MigrationID, vm: VMName, vmID: VMID, source: HostName, destination: HostName,
        startedAtMs: Int64 = 0, state: State, progress: ProgressInfo? = nil,
        report: ReportInfo? = nil,
        failure: FailureInfo? = nil
    ) {
        self.id = id
        self.vm = vm
        self.vmID = vmID
        self.source = source
        self.destination = destination
        self.startedAtMs = startedAtMs
        self.state = state
        self.progress = progress
        self.report = report
        self.failure = failure
    }

    package var isOver: Bool { state != .running }
}

package struct MigrationList: Hashable, Sendable, Codable {
    package var migrations: [MigrationInfo]
    package init(migrations: [MigrationInfo]) { self.migrations = migrations }
}

/// Why a migration did not happen.
package struct FailureInfo: Hashable, Sendable, Codable {
    /// Stable, for programs: see `FailureCode`. New ones may come.
    package var code: String
    /// The phase it got to; nil when nobody knows any more.
    package var phase: MigrationPhase?
    /// What happened and where the VM is now, in words: `reason` and `aftermath`.
    package private(set) var message: String
    package var reason: String
    /// Where the VM is now; it changes when an unsettled handover is settled.
    package private(set) var aftermath: String
    /// What was missing or wrong, item by item: the names of CPU features, say.
    package var details: [String]
    /// The VM runs on at the source.
    package private(set) var vmIsRunning: Bool

    package init(
        code: FailureCode, phase: MigrationPhase?, reason: String, aftermath: String,
        details: [String] = [], vmIsRunning: Bool
    ) {
        self.code = code.rawValue
        self.phase = phase
        self.reason = reason
        self.aftermath = aftermath
        message = "\(reason); \(aftermath)"
        self.details = details
        self.vmIsRunning = vmIsRunning
    }

    /// It is known by now, or known better, what became of the VM.
    package mutating func resolveOutcome(aftermath: String, vmIsRunning: Bool) {
        self.aftermath = aftermath
        message = "\(reason); \(aftermath)"
        self.vmIsRunning = vmIsRunning
    }
}

/// MigrationProgress with its units in its names.
package struct ProgressInfo: Hashable, Sendable, Codable {
    package var phase: MigrationPhase
    package var round: Int
    package var elapsedMs: Double
    package var remainingBytes: UInt64
    package var memoryBytes: UInt64
    package var dirtyPagesPerSecond: Double?
    package var wireBytesPerSecond: Double
    package var wireBytes: UInt64
    package var predictedDowntimeMs: Double?
    package var throttlePercent: Int
    /// The connection is lost, and this attempt to connect again is under way.
    package var reconnectAttempt: Int?

    package init(_ progress: MigrationProgress) {
        phase = progress.phase
        round = progress.round
        elapsedMs = progress.elapsed.milliseconds
        remainingBytes = progress.remainingBytes
        memoryBytes = progress.memoryBytes
        dirtyPagesPerSecond = progress.dirtyPagesPerSecond
        wireBytesPerSecond = progress.wireBytesPerSecond
        wireBytes = progress.wireBytes
        predictedDowntimeMs = progress.predictedDowntime?.milliseconds
        throttlePercent = progress.throttlePercent
        reconnectAttempt = progress.reconnectAttempt
    }
}

/// MigrationReport with its units in its names.
package struct ReportInfo: Hashable, Sendable, Codable {
    package struct Phase: Hashable, Sendable, Codable {
        package var phase: MigrationPhase
        package var durationMs: Double
        /// The guest stood still during this phase.
        package var isDowntime: Bool
    }

    package var totalMs: Double
    package var downtimeMs: Double
    package var predictedDowntimeMs: Double
    package var phases: [Phase]
    package var rounds: Int
    package var wireBytes: UInt64
    package var pageBytesSent: UInt64
    package var pagesSent: UInt64
    package var zeroPages: UInt64
    package var unchangedPages: UInt64
    /// Connections that were lost and made again.
    package var reconnects: Int
    /// Guest bytes that were sent again, the same, because they were lost with a connection.
    package var bytesSentAgain: UInt64
    package var streams: Int
    package var compression: Compression
    package var compressionRatio: Double
    package var verifiedPages: UInt64
    package var memoryRoot: String
    /// It goes on after the migration is over.
    package var audit: VerificationInfo
    package var rehearsal: RehearsalInfo?

    package init(_ report: MigrationReport) {
        totalMs = report.total.milliseconds
        downtimeMs = report.downtime.milliseconds
        predictedDowntimeMs = report.predictedDowntime.milliseconds
        phases = report.phases.map {
            Phase(
                phase: $0.phase, durationMs: $0.duration.milliseconds,
                isDowntime: MigrationPhase.downtimePhases.contains($0.phase))
        }
        rounds = report.rounds
        wireBytes = report.wireBytes
        pageBytesSent = report.pageBytesSent
        pagesSent = report.pagesSent
        zeroPages = report.zeroPages
        unchangedPages = report.unchangedPages
        reconnects = report.reconnects
        bytesSentAgain = report.bytesSentAgain
        audit = VerificationInfo(report.verification)
        rehearsal = report.rehearsal.map { RehearsalInfo($0) }
        streams = report.streams
        compression = report.compression
        compressionRatio = report.compressionRatio
        verifiedPages = report.verifiedPages
        memoryRoot = report.memoryDigest
    }
}

/// What a rehearsal found, with its units in its names.
package struct RehearsalInfo: Hashable, Sendable, Codable {
    /// The VM's one pause, for saving its state.
    package var pauseMs: Double
    /// How long the destination took to load the state.
    package var loadMs: Double
    package var stateBytes: Int
    /// How long the VM would stand still.
    package var downtimeLowerMs: Double
    package var downtimeMs: Double
    package var downtimeUpperMs: Double
    package var downtimeLimit: DowntimeLimit
    package var dirtyPagesPerSecond: Double
    package var wireBytesPerSecond: Double
    /// Unless its vCPUs are held back, the VM writes too fast for the limit.
    package var wouldThrottle: Bool

    enum CodingKeys: String, CodingKey {
        case pauseMs, loadMs, stateBytes, downtimeLowerMs, downtimeMs, downtimeUpperMs
        case downtimeLimit = "downtimeLimitMs"
        case dirtyPagesPerSecond, wireBytesPerSecond, wouldThrottle
    }

    package init(_ rehearsal: Rehearsal) {
        pauseMs = rehearsal.pause.milliseconds
        loadMs = rehearsal.load.milliseconds
        stateBytes = rehearsal.stateBytes
        downtimeLowerMs = rehearsal.downtimeLower.milliseconds
        downtimeMs = rehearsal.downtime.milliseconds
        downtimeUpperMs = rehearsal.downtimeUpper.milliseconds
        downtimeLimit = rehearsal.downtimeLimit
        dirtyPagesPerSecond = rehearsal.dirtyPagesPerSecond
        wireBytesPerSecond = rehearsal.wireBytesPerSecond
        wouldThrottle = rehearsal.wouldThrottle
    }
}

/// MemoryVerification with its units in its names.
package struct VerificationInfo: Hashable, Sendable, Codable {
    package var state: MemoryVerification.State
    /// Pages that were looked at.
    package var pages: UInt64
    package var durationMs: Double
    /// Pages that the destination has old copies of, and the numbers of the first.
    package var differing: UInt64
    package var differingPages: [UInt64]

    package init(_ verification: MemoryVerification) {
        state = verification.state
        pages = verification.pages
        durationMs = verification.duration.milliseconds
        differing = verification.differing
        differingPages = verification.differingPages
    }
}
