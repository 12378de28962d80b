// The source of a migration as a value: its next actions, and the records that it writes before them.
//
//  idle ─▶ connecting ─▶ negotiating ─▶ copying(round) ─▶ pausing ─▶ finishing ─▶ sealing ─▶ verifying
//            │               │             │  ▲              │           │           │           │ digests agree
//            └───────────────┴─────────────┴──┼──────────────┴───────────┴───────────┘           ▼
//                       │ refusal, cancel,    └ next round                  ┌──────────── releasing
//                       ▼ loss, failure                  record not written │                    │ record written
//                   resuming(e) ◀─────────────────────────────────────────┘                     ▼ send GO
//                       │                                                             handingOver ─▶ settling ─▶ ended
//                       ▼                                       lost answer │                 ▲
//                     ended                                                 ▼                 │ taken
//                       ▲                                              asking(n) ─────────────┘
//                       │            resuming(e+2) ◀─ takingBack ◀── neverRan │
//                       └──────────────────┴───────────── no answer ──────────┘
//
// copying ─peerLost▶ reconnecting ─▶ renegotiating ─▶ copying(next round): the guest continues to run, its dirty log
// continues, and the destination retains what it has. If the destination does not come back, the migration fails as
// usual. A rehearsal goes from copying to rehearsing where a migration would pause for the handover, and from there to
// resuming.
//
// Before `releasing`, every failure leaves the VM running here. From the moment that `released` may be on disk, the VM
// runs here again only after the destination has written that it never ran and never will: silence is not a refusal.
//
// No I/O, no clock: the driver performs the actions in order and reports the results as events. Each `write` is durable
// before `recordWritten`, and every action that depends on it is in the answer to that event.

package import Model
package import Ownership

/// The source's machine.
package struct SourceMachine: Hashable, Sendable {
    package enum Event: Hashable, Sendable {
        case start
        case connected
        /// The destination accepted the offer and every data stream is open.
        case accepted(DowntimeTerms)
        case roundEnded(RoundFacts)
        case paused
        /// The last pages, the state and our digest have been sent.
        case sentAll(digest: MemoryDigest)
        case sealed
        /// A state was saved here and could be loaded there; the guest runs again.
        case rehearsed
        case ready(digest: MemoryDigest)
        case recordWritten
        case recordFailed
        case running(Epoch)
        case answer(OwnershipAnswer)
        /// An ownership query was not answered.
        case noAnswer
        case resumed
        case resumeFailed
        /// The destination's refusal, in any phase before GO; after GO, it is not an answer.
        case refused(MigrationRefusal)
        /// The connection broke, or the destination was silent for too long.
        case peerLost
        /// Something failed on this side.
        case failed
        case cancel
    }

    package enum Action: Hashable, Sendable {
        case connect
        case offer
        /// The previous connections are gone: connects again, after a pause that grows with the attempts.
        case reconnect(attempt: Int)
        case sendRound(Int)
        case throttle(percent: Int)
        case pause
        case sendLast(round: Int)
        /// One pause, only as long as saving the state takes; then the destination loads the state for trial.
        case rehearse
        case seal
        case write(LedgerRecord)
        case sendGo(Epoch)
        case ask(OwnershipQuestion, attempt: Int)
        /// Ends the session at the destination, with this refusal if it can still be sent.
        case abandon(MigrationRefusal)
        /// Resumes at full speed, without dirty log.
        case resumeGuest
        case end(Ending)
    }

    /// Why the VM did not migrate.
    package enum Cause: Hashable, Sendable {
        case refused(MigrationRefusal)
        case peerLost
        case failed
        case ledgerFailed
        case cancelled
        case doesNotConverge(ConvergenceFacts)
        case memoryDiffers(source: MemoryDigest, destination: MemoryDigest)
        case neverRan
        case noAnswer
        /// No failure: it was a rehearsal.
        case rehearsed
    }

    package enum Ending: Hashable, Sendable {
        case handedOver(Epoch)
        case runsHere(Epoch, Cause)
        case stoppedHere(Epoch, Cause)
        /// Released, and the outcome is unknown.
        case unsettled(Epoch, Cause)
    }

    private enum State: Hashable, Sendable {
        case idle
        case connecting
        case negotiating
        case copying(round: Int, ConvergencePolicy)
        case reconnecting(attempt: Int, round: Int, ConvergencePolicy)
        case renegotiating(attempt: Int, round: Int, ConvergencePolicy)
        case rehearsing
        case pausing(round: Int)
        case finishing
        case sealing(MemoryDigest)
        case verifying(MemoryDigest)
        case releasing
        case handingOver
        case asking(attempt: Int)
        /// The VM runs at the destination; the record of that is being written.
        case settling(Epoch)
        case takingBack
        case resuming(Epoch, Cause)
        case ended(Ending)
    }

    private let vm: VMID
    private var migration: MigrationID
    private let epoch: Epoch
    private let destination: HostName
    private let downtimeLimit: Duration
    private let questionsMax: Int
    private let reconnectsMax: Int
    private let isRehearsal: Bool
    private var state = State.idle
    /// The predicted downtime, as of the last round.
    package private(set) var prediction: DowntimePrediction?
    /// A rehearsal found that the guest writes too fast to be migrated without throttling.
    package private(set) var wouldThrottle = false

    /// - Parameters:
    ///   - epoch: the epoch in which this host owns the VM.
    ///   - reconnectsMax: the number of attempts after each loss in pre-copy.
    package init(
        vm: VMID, migration: MigrationID, epoch: Epoch, destination: HostName,
        downtimeLimit: Duration, questionsMax: Int, reconnectsMax: Int = 0,
        isRehearsal: Bool = false
    ) {
        self.vm = vm
        self.migration = migration
        self.epoch = epoch
        self.destination = destination
        self.downtimeLimit = downtimeLimit
        self.questionsMax = questionsMax
        self.reconnectsMax = reconnectsMax
        self.isRehearsal = isRehearsal
    }

    /// The source of a VM that was released earlier, found in the ledger at a start: it can only ask.
    package init(
        asking question: OwnershipQuestion, destination: HostName, questionsMax: Int
    ) {
        self.init(
            vm: question.vm, migration: question.migration,
            epoch: Epoch(question.epoch.number - 1), destination: destination,
            downtimeLimit: .zero, questionsMax: questionsMax)
        state = .handingOver
    }

    /// A cancel is obeyed until the VM has been released.
    package var canCancel: Bool {
        switch state {
        case .idle, .connecting, .negotiating, .copying, .reconnecting, .renegotiating, .rehearsing,
            .pausing, .finishing, .sealing, .verifying:
            true
        case .releasing, .handingOver, .asking, .settling, .takingBack, .resuming, .ended: false
        }
    }

    /// From now on the attempt has this identifier. A destination whose ledger records that it abandoned the earlier
    /// one cannot take part under the old identifier again. Only while reconnecting: nothing was released under any
    /// identifier.
    package mutating func renameMigration(to migration: MigrationID) {
        guard case .reconnecting = state else {
            fatalError("the VM's name may change only between connections")
        }
        self.migration = migration
    }

    package mutating func handleEvent(_ event: Event) -> [Action] {
        switch (state, event) {
        case (.idle, .start):
            state = .connecting
            return [.connect]
        case (.connecting, .connected):
            state = .negotiating
            return [.offer]
        case (.negotiating, .accepted(let terms)):
            state = .copying(round: 1, ConvergencePolicy(limit: downtimeLimit, terms: terms))
            return [.sendRound(1)]
        case (.copying(let round, let policy), .roundEnded(let facts)):
            return finishRound(number: round, policy: policy, facts: facts)
        case (.copying(let round, let policy), .peerLost)
        where reconnectsMax > 0 && round < Limits.roundsMax:
            return startReconnect(attempt: 1, round: round, policy: policy)
        case (.reconnecting(let attempt, let round, let policy), .connected):
            state = .renegotiating(attempt: attempt, round: round, policy)
            return [.offer]
        case (.reconnecting(let attempt, let round, let policy), .peerLost)
        where attempt < reconnectsMax,
            (.renegotiating(let attempt, let round, let policy), .peerLost)
        where attempt < reconnectsMax:
            return startReconnect(attempt: attempt + 1, round: round, policy: policy)
        case (.renegotiating(_, let round, let policy), .accepted(let terms)):
            return continueCopying(afterRound: round, policy: policy, terms: terms)
        case (.rehearsing, .rehearsed): return abortMigration(because: .rehearsed)
        case (.pausing(let round), .paused):
            state = .finishing
            return [.sendLast(round: round)]
        case (.finishing, .sentAll(let digest)):
            state = .sealing(digest)
            return [.seal]
        case (.sealing(let digest), .sealed):
            state = .verifying(digest)
            return []
        case (.verifying(let ours), .ready(let theirs)):
            guard ours == theirs else {
                return abortMigration(because: .memoryDiffers(source: ours, destination: theirs))
            }
            state = .releasing
            return [
                .write(
                    .released(vm: vm, epoch: nextEpoch, to: destination, migration: migration))
            ]
        default: return handleEndEvent(event)
        }
    }

    private mutating func finishRound(
        number round: Int, policy: ConvergencePolicy, facts: RoundFacts
    ) -> [Action] {
        var policy = policy
        let throttleBefore = policy.throttlePercent
        let decision = policy.decideNextStep(after: facts)
        prediction = policy.prediction
        switch decision {
        // A rehearsal never throttles: its measurements so far are its result.
        case .anotherRound(let percent) where isRehearsal && percent > 0:
            wouldThrottle = true
            state = .rehearsing
            return [.rehearse]
        case .anotherRound(let percent):
            state = .copying(round: round + 1, policy)
            let next = Action.sendRound(round + 1)
            return percent == throttleBefore ? [next] : [.throttle(percent: percent), next]
        case .handOver where isRehearsal:
            state = .rehearsing
            return [.rehearse]
        case .handOver:
            state = .pausing(round: round + 1)
            return [.pause]
        case .giveUp(let facts): return abortMigration(because: .doesNotConverge(facts))
        }
    }

    /// vCPUs are not throttled while the destination is not connected.
    private mutating func startReconnect(
        attempt: Int, round: Int, policy: ConvergencePolicy
    ) -> [Action] {
        state = .reconnecting(attempt: attempt, round: round, policy)
        let isThrottled = attempt == 1 && policy.throttlePercent > 0
        return (isThrottled ? [.throttle(percent: 0)] : []) + [.reconnect(attempt: attempt)]
    }

    /// Data of the interrupted round may not have arrived: the next round sends every page that differs.
    private mutating func continueCopying(
        afterRound round: Int, policy: ConvergencePolicy, terms: DowntimeTerms
    ) -> [Action] {
        var policy = policy
        policy.terms = terms
        state = .copying(round: round + 1, policy)
        let throttle = policy.throttlePercent
        return (throttle > 0 ? [.throttle(percent: throttle)] : []) + [.sendRound(round + 1)]
    }

    /// Events from the release on, and all failures.
    private mutating func handleEndEvent(_ event: Event) -> [Action] {
        switch (state, event) {
        case (.releasing, .recordWritten):
            state = .handingOver
            return [.sendGo(nextEpoch)]
        case (.releasing, .recordFailed): return abortMigration(because: .ledgerFailed)
        case (.handingOver, .running(let epoch)), (.asking, .answer(.taken(let epoch))),
            (.handingOver, .answer(.taken(let epoch))):
            state = .settling(epoch)
            return [
                .write(.handedOver(vm: vm, epoch: epoch, to: destination, migration: migration))
            ]
        case (.handingOver, .answer(.neverRan(nextEpoch))),
            (.asking, .answer(.neverRan(nextEpoch))):
            state = .takingBack
            return [.write(.owned(vm: vm, epoch: nextEpoch.next, migration: nil))]
        case (.handingOver, .peerLost), (.handingOver, .refused), (.handingOver, .failed):
            state = .asking(attempt: 1)
            return [.ask(question, attempt: 1)]
        case (.asking(let attempt), .noAnswer), (.asking(let attempt), .refused),
            (.asking(let attempt), .answer), (.asking(let attempt), .peerLost),
            (.asking(let attempt), .failed):
            guard attempt < questionsMax else {
                return endMigration(with: .unsettled(nextEpoch, .noAnswer))
            }
            state = .asking(attempt: attempt + 1)
            return [.ask(question, attempt: attempt + 1)]
        // The destination runs the VM: this ledger cannot change that; it only determines which side must ask again.
        case (.settling(let epoch), .recordWritten), (.settling(let epoch), .recordFailed):
            return endMigration(with: .handedOver(epoch))
        case (.takingBack, .recordWritten):
            state = .resuming(nextEpoch.next, .neverRan)
            return [.resumeGuest]
        case (.takingBack, .recordFailed):
            return endMigration(with: .unsettled(nextEpoch, .ledgerFailed))
        case (.resuming(let epoch, let cause), .resumed):
            return endMigration(with: .runsHere(epoch, cause))
        case (.resuming(let epoch, let cause), .resumeFailed):
            return endMigration(with: .stoppedHere(epoch, cause))
        default: return handleFailureEvent(event)
        }
    }

    /// Before the release every kind of failure has the same answer; afterwards such events change nothing.
    private mutating func handleFailureEvent(_ event: Event) -> [Action] {
        guard canCancel else { return [] }
        switch event {
        case .cancel: return abortMigration(because: .cancelled)
        case .peerLost: return abortMigration(because: .peerLost)
        case .failed: return abortMigration(because: .failed)
        case .refused(let refusal): return abortMigration(because: .refused(refusal))
        default: return []
        }
    }

    private mutating func abortMigration(because cause: Cause) -> [Action] {
        state = .resuming(epoch, cause)
        return [.resumeGuest, .abandon(cause.refusal)]
    }

    private mutating func endMigration(with ending: Ending) -> [Action] {
        state = .ended(ending)
        return [.end(ending)]
    }

    private var nextEpoch: Epoch { epoch.next }

    private var question: OwnershipQuestion {
        OwnershipQuestion(vm: vm, epoch: nextEpoch, migration: migration)
    }
}

extension SourceMachine.Cause {
    /// The refusal that the destination receives.
    package var refusal: MigrationRefusal {
        switch self {
        case .refused(let refusal): refusal
        case .cancelled: MigrationRefusal(.cancelled, text: "the source cancelled the migration")
        case .rehearsed: MigrationRefusal(.cancelled, text: "the rehearsal is over")
        case .doesNotConverge(let facts):
            MigrationRefusal(
                .gaveUp, text: "the migration does not converge", details: ["\(facts)"])
        case .memoryDiffers(let source, let destination):
            MigrationRefusal(
                .memoryDiffers, text: "the memory digests differ",
                details: ["source \(source)", "destination \(destination)"])
        case .peerLost: MigrationRefusal(.timedOut, text: "the source lost the connection")
        case .failed, .ledgerFailed, .neverRan, .noAnswer:
            MigrationRefusal(.gaveUp, text: "the source failed and keeps the VM")
        }
    }
}
