// What a source reports about its migration: phases, progress, the report, and the reason of a failure.

import Host
import MigrationProtocol
import Model
import PageCodec
import PeerLink
import Synchronization

/// All measurements and reports; it makes no decisions. For the driver's thread.
struct SourceReporting {
    private let watch: MigrationWatch
    private let runtime: any MigrationRuntime
    private var clock: PhaseClock
    private var report = MigrationReport()
    /// The first failure, with its facts and its time.
    private var firstFailure: (phase: MigrationPhase, reason: MigrationFailure.Reason)?
    private var traffic = TrafficMeter()
    private var pausedAt: Instant?

    init(watch: MigrationWatch, runtime: any MigrationRuntime) {
        self.watch = watch
        self.runtime = runtime
        clock = PhaseClock(at: runtime.now)
    }

    var isRehearsal: Bool { report.rehearsal != nil }

    // MARK: Phases

    mutating func beginPhase(_ phase: MigrationPhase) { beginPhase(phase, at: runtime.now) }

    mutating func beginPhase(_ phase: MigrationPhase, at now: Instant) {
        clock.beginPhase(phase, at: now)
        watch.updateProgress { $0.phase = phase }
    }

    /// The destination measured how long it loaded the state while this host waited in `verify`.
    mutating func recordStateLoad(lasting duration: Duration) {
        clock.reassignDuration(duration, from: .verify, to: .deviceState)
    }

    mutating func recordPause(at now: Instant, predicted: Duration?) {
        pausedAt = now
        report.predictedDowntime = predicted ?? .zero
        watch.updateProgress { $0.predictedDowntime = predicted }
        beginPhase(.pause, at: now)
    }

    /// The destination runs the VM: the end of the downtime, by this host's clock.
    mutating func recordRunning(at now: Instant, resume: Duration) {
        beginPhase(.announce, at: now)
        clock.reassignDuration(resume, from: .handover, to: .resume)
        if let pausedAt { report.downtime = now - pausedAt }
    }

    // MARK: Rounds

    mutating func recordRoundBegin(number round: Int, pages: Int, predicted: Duration?) {
        report.rounds = round
        watch.updateProgress {
            $0.predictedDowntime = predicted
            $0.round = round
            $0.remainingBytes = UInt64(pages * pageBytes)
        }
    }

    mutating func recordProgress(
        of board: RoundCoordinator, remainingBytes: UInt64, at now: Instant
    ) {
        publishProgress(
            of: board, remainingBytes: remainingBytes, dirtyPagesPerSecond: nil, at: now)
    }

    mutating func recordRoundEnd(with facts: RoundFacts, of board: RoundCoordinator) {
        let perSecond = Double(facts.dirtyPages) / max(facts.duration.seconds, 1e-6)
        publishProgress(
            of: board, remainingBytes: UInt64(facts.dirtyPages * pageBytes),
            dirtyPagesPerSecond: perSecond, at: runtime.now)
    }

    private mutating func publishProgress(
        of board: RoundCoordinator, remainingBytes: UInt64, dirtyPagesPerSecond: Double?,
        at now: Instant
    ) {
        let wireBytes = traffic.wireBytes(adding: board)
        let rate = traffic.measureRate(bytes: wireBytes, at: now)
        let elapsed = clock.elapsedTime(at: now)
        watch.updateProgress {
            if let dirtyPagesPerSecond { $0.dirtyPagesPerSecond = dirtyPagesPerSecond }
            $0.remainingBytes = remainingBytes
            $0.wireBytes = wireBytes
            $0.wireBytesPerSecond = rate
            $0.elapsed = elapsed
        }
    }

    func recordThrottle(percent: Int) { watch.updateProgress { $0.throttlePercent = percent } }

    mutating func recordState(bytes: Int) { traffic.stateBytes = bytes }

    mutating func recordMemoryDigest(_ digest: MemoryDigest) { report.memoryDigest = "\(digest)" }

    /// These streams have ended; their counts no longer change.
    mutating func recordStreams(_ streams: SourceStreams, count: Int) {
        report.streams = count
        report.compression = Compression(streams.encoding)
        traffic.addCounts(streams.counts, to: &report)
    }

    // MARK: Reconnecting

    func recordReconnect(attempt: Int) {
        watch.updateProgress {
            $0.reconnectAttempt = attempt
            $0.wireBytesPerSecond = 0
        }
    }

    /// The failure that led to the loss is resolved.
    mutating func recordReconnected() {
        report.reconnects += 1
        firstFailure = nil
        watch.updateProgress { $0.reconnectAttempt = nil }
    }

    // MARK: Rehearsal

    /// - Parameter streams: the open streams.
    mutating func recordRehearsal(
        _ rehearsal: Rehearsal, machine: SourceMachine, streams: SourceStreams?
    ) {
        var rehearsal = rehearsal
        if let prediction = machine.prediction {
            rehearsal.downtimeLower = prediction.lower
            rehearsal.downtime = prediction.expected
            rehearsal.downtimeUpper = prediction.upper
            report.predictedDowntime = prediction.expected
        }
        rehearsal.dirtyPagesPerSecond = watch.progress.dirtyPagesPerSecond ?? 0
        rehearsal.wouldThrottle = machine.wouldThrottle
        let copying = clock.phaseDurations.first { $0.phase == .preCopy }?.duration ?? .zero
        let bytes = traffic.wireBytes(adding: streams?.counts)
        rehearsal.wireBytesPerSecond = Double(bytes) / max(copying.seconds, 1e-6)
        report.rehearsal = rehearsal
    }

    mutating func recordRehearsedLoad(lasting load: Duration) { report.rehearsal?.load = load }

    // MARK: The end

    /// Records the reason of a failure, once: later failures result from it.
    mutating func recordFailure(_ reason: MigrationFailure.Reason) {
        if firstFailure == nil { firstFailure = (clock.phase, reason) }
    }

    /// A cancel that is obeyed is the reason, whatever failed before.
    mutating func recordCancel() { firstFailure = (clock.phase, .cancelled) }

    mutating func beginCleanUp() { clock.beginPhase(.cleanUp, at: runtime.now) }

    mutating func finishReport(pageCount: Int) -> MigrationReport {
        let total = clock.elapsedTime(at: runtime.now)
        report.total = total
        watch.updateProgress { $0.elapsed = total }
        clock.beginPhase(.cleanUp, at: runtime.now)
        report.phases = clock.phaseDurations
        if report.rehearsal == nil { report.verifiedPages = UInt64(pageCount) }
        return report
    }

    func makeFailure(
        causedBy cause: SourceMachine.Cause, aftermath: MigrationFailure.Aftermath,
        resumeFailure: GuestError?
    ) -> MigrationFailure {
        MigrationFailure(
            phase: firstFailure?.phase ?? clock.phase,
            reason: failureReason(for: cause, resumeFailure: resumeFailure), aftermath: aftermath)
    }

    private func failureReason(
        for cause: SourceMachine.Cause, resumeFailure: GuestError?
    ) -> MigrationFailure.Reason {
        switch cause {
        case .refused(let refusal): .refused(refusal)
        case .cancelled: .cancelled
        case .doesNotConverge(let facts): .doesNotConverge(facts)
        case .memoryDiffers(let source, let destination):
            .memoryDiffers(source: "\(source)", destination: "\(destination)")
        case .neverRan: .neverRan
        case .rehearsed:
            firstFailure?.reason
                ?? .guest(resumeFailure ?? GuestError(operation: "resume", detail: ""))
        case .noAnswer:
            if case .link(let error) = firstFailure?.reason {
                .noAnswer(error)
            } else {
                .noAnswer(nil)
            }
        case .peerLost, .failed, .ledgerFailed: firstFailure?.reason ?? .link(.closed)
        }
    }
}

extension Compression {
    fileprivate init(_ encoding: BlockEncoding) {
        self =
            switch encoding {
            case .raw: .none
            case .lz4: .lz4
            case .zstd: .zstd
            case .zlib: .zlib
            }
    }
}
