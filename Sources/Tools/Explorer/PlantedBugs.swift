// Bugs that a search must find: each breaks one rule, here in the explorer, never in the machines. A search that does
// not find one of them cannot see its kind.

import MigrationProtocol
import Model
import Ownership

/// A rule that is broken on purpose.
package enum PlantedBug: String, Hashable, Sendable, CaseIterable {
    /// The source resumes when the connection breaks after GO.
    case resumeAfterGo
    /// A question without answer counts as "it never ran".
    case silenceIsNo
    /// A question that was refused counts as "it never ran".
    case refusalIsNo
    /// A record is taken for durable before it was flushed.
    case forgottenFlush
    /// GO is sent before `released` is written.
    case goBeforeReleased
    /// A VM that was taken back runs at e+1 again, not at e+2.
    case noEpochStep
    /// A cancel is obeyed after the release.
    case cancelAfterRelease
    /// After a failure the guest stays paused.
    case abortWithoutResume
    /// The source releases a guest that may still resume by itself.
    case forgottenSeal
    /// The ferry-vmm resumes by itself although it is sealed.
    case resumesAfterSeal
    /// A starting agent resumes a released guest.
    case adoptsReleased
    /// A starting agent resumes a guest that had arrived and was not owned yet.
    case adoptsIncoming
    /// The destination resumes the guest before `owned` is written.
    case runsBeforeOwned
    /// The destination resumes the guest when it is ready, without GO.
    case runsWithoutGo
    /// The destination takes a GO of any epoch.
    case goOfAnyEpoch
    /// "It never ran" is answered without being written.
    case unwrittenAnswer
    /// The ledger lets a VM be owned after "it never ran".
    case forgottenNeverRan
    /// Any host may ask, and so make the destination give up.
    case answersStrangers
    /// The controller orders a takeover from a host that is not known to be off.
    case takeoverWithoutFencing = "rulingWithoutFencing"
    /// A host that is superseded answers so, and its guest runs on.
    case overruledRunsOn
    /// After a forced takeover the other host is never notified.
    case forgottenNotice
}

extension PlantedBug {
    /// What the bugs at the source depend on besides the machine.
    struct SourceFacts {
        let epoch: Epoch
        let hasSentGo: Bool
        let isCancelled: Bool

        init(_ migration: OutgoingMigration) {
            epoch = migration.epoch
            hasSentGo = migration.hasSentGo
            isCancelled = migration.isCancelled
        }
    }

    /// The source's machine with this bug around it.
    func advanceMachine(
        _ machine: inout SourceMachine, with event: SourceMachine.Event, facts: SourceFacts
    ) -> [SourceMachine.Action] {
        if facts.hasSentGo, !machine.canCancel {
            if self == .resumeAfterGo, event == .peerLost {
                return [.resumeGuest, .end(.runsHere(facts.epoch, .peerLost))]
            }
            if self == .cancelAfterRelease, facts.isCancelled {
                return [.resumeGuest, .end(.runsHere(facts.epoch, .cancelled))]
            }
        }
        let isNo = self == .silenceIsNo && event == .noAnswer
        return alteredActions(
            from: machine.handleEvent(isNo ? .answer(.neverRan(facts.epoch.next)) : event))
    }

    private func alteredActions(from actions: [SourceMachine.Action]) -> [SourceMachine.Action] {
        switch (self, actions.first) {
        case (.noEpochStep, .write(.owned(let vm, let epoch, let migration))?):
            [.write(.owned(vm: vm, epoch: Epoch(epoch.number - 1), migration: migration))]
        case (.goBeforeReleased, .write(.released(_, let epoch, _, _))?):
            [.sendGo(epoch)] + actions
        case (.goBeforeReleased, .sendGo?): []
        default: actions
        }
    }

    /// The destination's machine with this bug around it.
    func advanceMachine(
        _ machine: inout DestinationMachine, with event: DestinationMachine.Event, nextEpoch: Epoch
    ) -> [DestinationMachine.Action] {
        var event = event
        if self == .goOfAnyEpoch, case .go = event { event = .go(nextEpoch) }
        let actions = machine.handleEvent(event)
        if self == .runsWithoutGo, case .sendReady? = actions.first {
            return [.resumeGuest] + actions
        }
        return actions
    }
}

extension PlantedBug? {
    /// What a starting agent does, with this bug if there is one.
    func alteredAdoption(
        from adoption: AdoptionDecision, on host: HostState
    ) -> (record: LedgerRecord?, step: AdoptionDecision.Step) {
        let isReady = host.process?.isReady ?? false
        switch (self, host.ledger.ownership) {
        case (.adoptsReleased?, .released?) where isReady,
            (.adoptsIncoming?, .incoming?) where isReady:
            return (nil, .keepAndResume)
        default: return (adoption.record, adoption.step)
        }
    }
}

extension LedgerRecord {
    /// By this record a VM that came from another host is owned.
    var isArrival: Bool {
        if case .owned(_, _, _?) = self { true } else { false }
    }
}
