// Bugs to be found: each breaks one rule, here in the explorer, never in the machines. A search that does not find
// one of them is blind to its kind.

import MigrationProtocol
import Model
import Ownership

/// A rule that is broken on purpose.
package enum Plant: String, Hashable, Sendable, CaseIterable {
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
    /// After a failure the guest is left standing.
    case abortWithoutResume
    /// The source releases a guest that may still resume by itself.
    case forgottenSeal
    /// The ferry-vmm resumes by itself although it is sealed.
    case resumesAfterSeal
    /// A starting agent lets a released guest run.
    case adoptsReleased
    /// A starting agent lets a guest run that had arrived and was not owned yet.
    case adoptsIncoming
    /// The destination lets the guest run before `owned` is written.
    case runsBeforeOwned
    /// The destination lets the guest run when it is ready, without GO.
    case runsWithoutGo
    /// The destination takes a GO of any epoch.
    case goOfAnyEpoch
    /// "It never ran" is answered without being written.
    case unwrittenAnswer
    /// The ledger lets a VM be owned after "it never ran".
    case forgottenNeverRan
    /// Anybody may ask, and so make the destination give up.
    case answersStrangers
    /// The controller rules against a host that is not known to be off.
    case takeoverWithoutFencing = "rulingWithoutFencing"
    /// A superseded host answers so and lets its guest run on.
    case supersededRunsOn = "overruledRunsOn"
    /// After a forced takeover the other host is never told.
    case forgottenNotice
}

extension Outgoing {
    /// What a planted bug does instead of asking the machine; nil when it does nothing now.
    func plantedActions(
        _ event: SourceMachine.Event, _ rules: Rules
    ) -> [SourceMachine.Action]? {
        guard hasSentGo, !machine.canCancel else { return nil }
        if rules.has(.resumeAfterGo), event == .peerLost {
            return [.resumeGuest, .end(.runsHere(epoch, .peerLost))]
        }
        if rules.has(.cancelAfterRelease), isCancelled {
            return [.resumeGuest, .end(.runsHere(epoch, .cancelled))]
        }
        return nil
    }

    func planted(_ event: SourceMachine.Event, _ rules: Rules) -> SourceMachine.Event {
        rules.has(.silenceIsNo) && event == .noAnswer
            ? .answer(.neverRan(epoch.next)) : event
    }

    func planted(
        _ actions: [SourceMachine.Action], _ rules: Rules
    ) -> [SourceMachine.Action] {
        switch (rules.plant, actions.first) {
        case (.noEpochStep?, .write(.owned(let vm, let epoch, let migration))?):
            return [
                .write(.owned(vm: vm, epoch: Epoch(epoch.number - 1), migration: migration))
            ]
        case (.goBeforeReleased?, .write(.released(_, let epoch, _, _))?):
            return [.sendGo(epoch)] + actions
        case (.goBeforeReleased?, .sendGo?): return []
        default: return actions
        }
    }
}

extension Session {
    func planted(_ event: DestinationMachine.Event, _ rules: Rules) -> DestinationMachine.Event {
        if rules.has(.goOfAnyEpoch), case .go = event { .go(nextEpoch) } else { event }
    }

    func planted(
        _ actions: [DestinationMachine.Action], _ rules: Rules
    ) -> [DestinationMachine.Action] {
        if rules.has(.runsWithoutGo), case .sendReady? = actions.first {
            [.resumeGuest] + actions
        } else {
            actions
        }
    }
}

extension World {
    func planted(
        _ adoption: AdoptionDecision, _ host: HostState, _ rules: Rules
    ) -> (record: LedgerRecord?, step: AdoptionDecision.Step) {
        let isReady = host.process?.isReady ?? false
        switch (rules.plant, host.ledger.ownership) {
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
