// Does what the source's machine says, on the migration's own thread, and tells it what happened.
//
// The machine decides; this file and its extensions only act. An action that fails leaves its reason in
// `reason`, for people; the machine gets the event alone.

import Host
import MigrationProtocol
import Model
import Ownership
import PageCodec
import PeerLink

/// The driver of one migration at its source. For one thread.
final class SourceDriver {
    var offer: MigrationOffer
    let guest: any SourceGuest
    let destination: PeerAddress
    let runtime: any MigrationRuntime
    let ledger: any OwnershipLedger
    let options: MigrationOptions
    let watch: MigrationWatch
    let stop: any WakeFlag
    let news: any WakeFlag
    let dialer: PeerDialer

    var loop: SourceLoop
    var control: (any Link)?
    var streams: SourceStreams?
    var clock: PhaseClock
    var report = MigrationReport()
    /// The first thing that went wrong, with all its facts, and when.
    var reason: (phase: MigrationPhase, reason: MigrationFailure.Reason)?
    var roundTrip = Duration.zero
    var isLogging = false
    var isPaused = false
    var isThrottled = false
    var pausedAt: Instant?
    var lastAlive: Instant
    var meter = RateMeter()
    var dirtyPages = 0
    var stateBytes = 0
    /// Pages that the next round looks at whatever the log says.
    let carried: PageSet
    /// What was sent last, on connections that are gone; nil before the first is.
    var sent: PageHashTable?
    /// What the destination has, as of the connection that is gone.
    private var table: PageHashTable?
    /// What was done on connections that are gone.
    var pastCounts = EncoderCounts()
    /// Since when it has not been connected.
    var lostAt: Instant?
    var isRenamed = false
    private var resumeError: GuestError?

    init(
        offer: MigrationOffer, guest: any SourceGuest, destination: PeerAddress,
        ledger: any OwnershipLedger, options: MigrationOptions, watch: MigrationWatch,
        runtime: any MigrationRuntime, stop: any WakeFlag, news: any WakeFlag
    ) {
        self.offer = offer
        self.guest = guest
        self.destination = destination
        self.runtime = runtime
        self.ledger = ledger
        self.options = options
        self.watch = watch
        self.stop = stop
        self.news = news
        dialer = PeerDialer(
            destination: destination, runtime: runtime, timing: options.timing, stop: stop,
            versions: offer.versions)
        clock = PhaseClock(at: runtime.now)
        lastAlive = runtime.now
        carried = PageSet(pageCount: guest.layout.pageCount)
        loop = SourceLoop(
            SourceMachine(
                vm: offer.vm, migration: offer.migration, epoch: offer.epoch,
                destination: destination.name,
                downtimeLimit: options.downtimeLimit ?? offer.spec.downtimeLimit,
                questionsMax: options.timing.questionsMax,
                // A rehearsal that meets a loss has its answer.
                reconnectsMax: options.isRehearsal ? 0 : options.timing.reconnectsMax,
                isRehearsal: options.isRehearsal))
    }

    var machine: SourceMachine { loop.machine }

    func run() throws(MigrationFailure) -> MigrationReport {
        loop.receive(.start, isCancelled: isCancelObeyed)
        while true {
            guard let action = loop.nextAction else {
                loop.receive(nextMessage(), isCancelled: isCancelObeyed)
                continue
            }
            if case .end(let ending) = action { return try finish(ending) }
            loop.finishAction(with: perform(action), isCancelled: isCancelObeyed)
        }
    }

    /// Asked only while the machine can be cancelled.
    private func isCancelObeyed() -> Bool {
        guard watch.isCancelled else { return false }
        reason = (clock.phase, .cancelled)
        return true
    }

    /// What happened by doing it; nil when that is for the destination to tell.
    private func perform(_ action: SourceMachine.Action) -> SourceMachine.Event? {
        switch action {
        case .connect: return connect()
        case .offer: return makeOffer()
        case .reconnect(let attempt): return reconnect(attempt)
        case .rehearse: return rehearse()
        case .sendRound(let round): return sendRound(round)
        case .throttle(let percent): return throttle(percent)
        case .pause: return pause()
        case .sendLast(let round): return sendLast(round)
        case .seal: return seal()
        case .write(let record): return write(record)
        case .sendGo(let epoch): return sendGo(epoch)
        case .ask(let question, let attempt): return ask(question, attempt)
        case .resumeGuest: return resumeGuest()
        case .abandon(let words):
            abandon(words)
            return nil
        case .end: return nil
        }
    }

    /// Notes why, once: what comes later follows from it.
    func fail(_ reason: MigrationFailure.Reason) {
        if self.reason == nil { self.reason = (clock.phase, reason) }
    }

    /// At full speed, without dirty log, whatever state it was in.
    private func resumeGuest() -> SourceMachine.Event {
        // Each for itself, the most urgent first: one that fails must not keep the others from being tried.
        if isPaused, attempt({ () throws(GuestError) in try guest.resume() }) { isPaused = false }
        if isThrottled { _ = attempt { () throws(GuestError) in try guest.throttle(percent: 0) } }
        if isLogging { _ = attempt { () throws(GuestError) in try guest.stopDirtyLog() } }
        return isPaused ? .resumeFailed : .resumed
    }

    private func attempt(_ call: () throws(GuestError) -> Void) -> Bool {
        do {
            try call()
            return true
        } catch {
            resumeError = resumeError ?? error
            return false
        }
    }

    private func abandon(_ words: MigrationRefusal) {
        // The peer may be gone: its own silence limit tells it then.
        if let control { try? control.send(.refused(words)) }
        closeAll()
    }

    func closeAll() {
        stop.set()
        if let streams {
            streams.stop()
            keepCounts(of: streams)
            sent = streams.pages.sent ?? streams.pages.table
            table = streams.pages.table
        }
        streams = nil
        control?.close()
        control = nil
    }

    private func finish(
        _ ending: SourceMachine.Ending
    ) throws(MigrationFailure) -> MigrationReport {
        clock.begin(.cleanUp, at: runtime.now)
        closeAll()
        switch ending {
        case .handedOver, .runsHere(_, .rehearsed): return finishedReport()
        case .runsHere(let epoch, let cause):
            throw failure(cause, .runsAtSource(epoch))
        case .stoppedHere(let epoch, let cause):
            let error =
                resumeError ?? GuestError(operation: "resume", detail: "it did not resume")
            throw failure(cause, .stoppedAtSource(epoch, error))
        case .unsettled(let epoch, let cause):
            throw failure(cause, .unsettled(epoch, with: destination.name))
        }
    }

    private func failure(
        _ cause: SourceMachine.Cause, _ aftermath: MigrationFailure.Aftermath
    ) -> MigrationFailure {
        let phase = reason?.phase ?? clock.phase
        let told: MigrationFailure.Reason =
            switch cause {
            case .refused(let refusal): .refused(refusal)
            case .cancelled: .cancelled
            case .doesNotConverge(let facts): .doesNotConverge(facts)
            case .memoryDiffers(let source, let destination):
                .memoryDiffers(source: "\(source)", destination: "\(destination)")
            case .neverRan: .neverRan
            case .rehearsed:
                reason?.reason ?? .guest(resumeError ?? GuestError(operation: "resume", detail: ""))
            case .noAnswer:
                if case .link(let error) = reason?.reason {
                    .noAnswer(error)
                } else {
                    .noAnswer(nil)
                }
            case .peerLost, .failed, .ledgerFailed: reason?.reason ?? .link(.closed)
            }
        return MigrationFailure(phase: phase, reason: told, aftermath: aftermath)
    }

    private func keepCounts(of streams: SourceStreams) {
        report.streams = offer.streams
        report.compression = Compression(streams.encoding)
        let counts = pastCounts + streams.counts
        pastCounts = counts
        report.wireBytes = counts.wireBytes + UInt64(stateBytes)
        report.pagesSent = counts.contentPages + counts.zeroPages
        report.pageBytesSent = report.pagesSent * UInt64(pageBytes)
        report.zeroPages = counts.zeroPages
        report.unchangedPages = counts.unchangedPages
        report.bytesSentAgain = counts.repeatedPages * UInt64(pageBytes)
    }

    /// Of a migration that ended at the destination.
    func auditor() -> MemoryAuditor? {
        guard options.audits, report.rehearsal == nil, let table else { return nil }
        return MemoryAuditor(guest: guest, table: table, seed: offer.hashSeed, runtime: runtime)
    }

    private func finishedReport() -> MigrationReport {
        let total = clock.elapsed(at: runtime.now)
        report.total = total
        watch.update { $0.elapsed = total }
        clock.begin(.cleanUp, at: runtime.now)
        report.phases = clock.list
        if report.rehearsal == nil { report.verifiedPages = UInt64(guest.layout.pageCount) }
        return report
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
