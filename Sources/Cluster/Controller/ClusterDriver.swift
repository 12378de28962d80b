// Owns the cluster value while this controller leads. Everything that reads or changes it waits in one queue.
//
//   work, work, work ──▶ run one after the other on the value ──▶ one batch of changes ──▶ store ──▶ answers, commands
//
// Nobody hears of a change that is not stored, and no command is sent before. When it cannot be told whether a batch
// was stored, those who wait for it are told so, the value is thrown away and made again from the store. An answer is
// given only while the leader's lease lasts: later, another controller may have decided otherwise.

package import API
package import ClusterCore
import Host
package import Logging
import Model

package actor ClusterDriver {
    /// Reads or changes the cluster; runs on the driver, and must not wait for anything.
    package typealias Work<Value> =
        @Sendable (inout Cluster, inout Context) throws(Problem)
        -> Value

    private struct Job {
        /// Runs it, and gives back how to answer once what it did is stored.
        let run: @Sendable (inout Cluster, inout Context) -> @Sendable () -> Void
        let fail: @Sendable (Problem) -> Void
    }

    private struct ActiveTerm {
        let term: Term
        /// Of the boot clock.
        var leaseEnd: Duration
    }

    private let store: any StateStore
    private let schema: RecordSchema
    private let settings: ControlSettings
    private let commands: CommandRunner
    private let metrics: ControllerMetrics
    private let logger: Logger
    private var activeTerm: ActiveTerm?
    private var cluster: Cluster?
    /// Of the store, as of the last batch or reading.
    package private(set) var revision = Revision.zero
    /// Grows with each value of `cluster`: results of commands of an earlier one are nobody's.
    private var generation = 0
    private var queue: [Job] = []
    private var isRunning = false
    private var notLeading = Problem(.notLeader, detail: "this controller does not lead yet")

    package init(
        store: any StateStore, schema: RecordSchema = .current, settings: ControlSettings,
        commands: CommandRunner, metrics: ControllerMetrics, logger: Logger
    ) {
        self.store = store
        self.schema = schema
        self.settings = settings
        self.commands = commands
        self.metrics = metrics
        self.logger = logger
    }

    /// The leader's term, while it leads and has read everything.
    package var term: Term? { isLeading && cluster != nil ? activeTerm?.term : nil }

    /// Requests that wait for the store to confirm what came before them.
    package var waiting: Int { queue.count }

    package var isLeading: Bool { activeTerm.map { BootClock.now < $0.leaseEnd } ?? false }

    /// Runs the work and answers when what it changed is stored.
    /// - Parameter isOwn: it comes from the controller itself, which waits for an end that nobody else brings: it is
    ///   taken however long the queue is.
    package func runOnCluster<Value: Sendable>(
        isOwn: Bool = false, body work: @escaping Work<Value>
    ) async throws(Problem) -> Value {
        guard isLeading else { throw notLeading }
        guard isOwn || queue.count < Limits.queueMax else {
            throw Problem(
                .tooMany, detail: "\(queue.count) requests wait already: come again later")
        }
        let result: Result<Value, Problem> = await withCheckedContinuation { waiting in
            queue.append(
                Job(
                    run: { cluster, context in
                        let result = Self.workResult(of: work, on: &cluster, in: &context)
                        return { waiting.resume(returning: result) }
                    }, fail: { waiting.resume(returning: .failure($0)) }))
            startRunning()
        }
        return try result.get()
    }

    private static func workResult<Value>(
        of work: Work<Value>, on cluster: inout Cluster, in context: inout Context
    ) -> Result<Value, Problem> {
        do throws(Problem) { return .success(try work(&cluster, &context)) } catch {
            return .failure(error)
        }
    }

    // MARK: - Leading

    /// Begins to lead: reads everything. Returns when requests are answered; throws when the store is of no use.
    package func beginLeading(inTerm term: Term, leaseEnd: Duration) async throws(StoreError) {
        activeTerm = ActiveTerm(term: term, leaseEnd: leaseEnd)
        try await loadRecords()
        startRunning()
    }

    package func extendLease(inTerm term: Term, until leaseEnd: Duration) {
        guard activeTerm?.term == term else { return }
        activeTerm?.leaseEnd = leaseEnd
    }

    /// Answers nothing any more. Safe to call at any time.
    package func stepDown(reason why: String) {
        guard activeTerm != nil else { return }
        activeTerm = nil
        cluster = nil
        generation += 1
        notLeading = Problem(.notLeader, detail: why)
        metrics.recordTerm(nil)
        failAllJobs(with: notLeading)
    }

    private func failAllJobs(with problem: Problem) {
        let jobs = queue
        queue = []
        for job in jobs { job.fail(problem) }
    }

    /// Makes the value from the store, after however many attempts that takes within the reign.
    private func loadRecords() async throws(StoreError) {
        var pause = Limits.storePauses.first
        while let term = activeTerm?.term {
            do throws(StoreError) { return try await loadRecordsOnce(inTerm: term) } catch {
                switch error {
                case .unavailable, .outcomeUnknown, .conflict, .compacted:
                    logger.warning("the store cannot be read", metadata: ["error": "\(error)"])
                case .deposed, .unusable, .tooLarge, .closed: throw error
                }
            }
            // Cancelled: whoever leads us has no time any more.
            guard (try? await Task.sleep(for: pause)) != nil else { throw .closed }
            pause = min(pause * 2, Limits.storePauses.last)
        }
        throw .closed
    }

    private func loadRecordsOnce(inTerm term: Term) async throws(StoreError) {
        let before = try await schema.upgradeSchema(of: store, inTerm: term)
        if let before, before < schema.version {
            logger.notice(
                "records brought to this version",
                metadata: ["before": "\(before)", "now": "\(schema.version)"])
        }
        let page = try await store.listAllEntries(prefix: "")
        var records: [ClusterRecord] = []
        records.reserveCapacity(page.entries.count)
        for entry in page.entries {
            if let record = try RecordCodec.decodeRecord(from: entry) { records.append(record) }
        }
        guard activeTerm?.term == term else { throw .deposed(term) }
        let fresh: Cluster
        do {
            fresh = try Cluster(
                records: records, settings: settings, term: term, seed: .random(), now: .now)
        } catch { throw .unusable(reason: "the records do not fit together: \(error)") }
        cluster = fresh
        revision = page.revision
        generation += 1
        await commands.beginTerm(generation: generation, inTerm: term, driver: self)
        metrics.recordTerm(term)
        logger.info(
            "cluster read",
            metadata: [
                "term": "\(term)", "revision": "\(revision)", "records": "\(records.count)",
            ])
    }

    // MARK: - Running

    private func startRunning() {
        guard !isRunning, cluster != nil, !queue.isEmpty else { return }
        isRunning = true
        Task { await runAllBatches() }
    }

    private func runAllBatches() async {
        while !queue.isEmpty, cluster != nil { await runNextBatch() }
        isRunning = false
    }

    private func runNextBatch() async {
        guard let term = activeTerm?.term else { return }
        var context = Context(now: .now)
        var answers: [@Sendable () -> Void] = []
        var jobs: [Job] = []
        let waiting = queue
        for job in waiting {
            let start = BootClock.now
            let newsBefore = context.output.events.count
            context.now = .now
            // In place: a copy of the cluster would cost more than the work.
            answers.append(job.run(&cluster!, &context))
            metrics.recordDecision(
                events: context.output.events[newsBefore...], duration: BootClock.now - start)
            jobs.append(job)
            if context.output.changed.count >= Limits.batchChanges { break }
        }
        queue.removeFirst(jobs.count)
        let output = context.output
        let batch = generation
        do throws(StoreError) {
            try await commitOutput(output, inTerm: term)
        } catch {
            await handleCommitFailure(error, jobs: jobs, generation: batch)
            return
        }
        // The controller lost leadership, or read the store again, while committing. The commit stands, but this
        // controller must not answer for it.
        guard generation == batch, isLeading else {
            for job in jobs { job.fail(notLeading) }
            return
        }
        for answer in answers { answer() }
        metrics.countEvents(output.events)
        logEvents(output.events)
        await commands.runCommands(output.commands, generation: batch)
    }

    private func commitOutput(_ output: Output, inTerm term: Term) async throws(StoreError) {
        guard !output.changed.isEmpty, let cluster else { return }
        for changes in try StoreChunks(changedKeys: output.changed, of: cluster).chunks {
            let start = BootClock.now
            let committed = try await store.commitTransaction(
                StoreTransaction(term: term, changes: changes))
            revision = max(revision, committed)
            metrics.recordCommit(changeCount: changes.count, duration: BootClock.now - start)
        }
    }

    private func handleCommitFailure(_ error: StoreError, jobs: [Job], generation batch: Int) async
    {
        logger.warning("a batch was not stored", metadata: ["error": "\(error)"])
        metrics.countFailedCommit()
        guard generation == batch else {
            for job in jobs { job.fail(notLeading) }
            return
        }
        cluster = nil
        generation += 1
        if case .deposed = error {
            stepDown(reason: "another controller leads by now")
            for job in jobs { job.fail(notLeading) }
            return
        }
        for job in jobs {
            job.fail(
                Problem(
                    .storeUnavailable,
                    detail:
                        "the store did not confirm it, so it may or may not have been done: look again"
                )
            )
        }
        do throws(StoreError) { try await loadRecords() } catch {
            stepDown(reason: "its store is of no use: \(error)")
        }
    }

    private func logEvents(_ news: [ClusterLogEvent]) {
        for item in news { logger.log(level: item.level, "\(item.sentence)") }
    }
}

extension Moment {
    static var now: Moment { Moment(uptime: BootClock.now, wallMs: BootClock.wallMilliseconds) }
}
