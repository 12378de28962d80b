// What must hold in every state, and where every run must be able to end.

import MigrationProtocol
import Model
import Ownership

/// What went wrong.
package enum Violation: String, Hashable, Sendable {
    /// Two ferry-vmms execute the guest's instructions.
    case twoRun
    /// Two ledgers let their host run the VM in one epoch.
    case sameEpoch
    /// A host that knows that it is superseded runs the VM.
    case supersededRuns
    /// A ledger refused what a driver had every reason to write.
    case contradiction
    /// A migration failed before GO, and the VM does not run at its source.
    case sourceDoesNotRun
    /// A cancel was taken, and the VM is not at its source.
    case cancelIgnored
    /// No step from here leads to a running owner or to a stated recovery.
    case stuck
}

extension World {
    func firstViolation(within bounds: Bounds) -> Violation? {
        if let violation { return violation }
        let (s, d) = (hosts[.s], hosts[.d])
        // An operator who takes a VM from a host that is alive was warned of that.
        if s.isRunning, d.isRunning, !bounds.operatorMayErr { return .twoRun }
        if s.mayRun, d.mayRun, s.ledger.ownership?.epoch == d.ledger.ownership?.epoch {
            return .sameEpoch
        }
        for host in [s, d] {
            if case .superseded? = host.ledger.ownership, host.isRunning { return .supersededRuns }
        }
        return nil
    }

    /// What is wrong with the end of a migration at its source.
    func violation(
        of ending: SourceMachine.Ending, on side: Side, migration out: OutgoingMigration
    ) -> Violation? {
        let host = hosts[side]
        switch ending {
        case .runsHere: return host.process == nil || host.isRunning ? nil : .sourceDoesNotRun
        case .stoppedHere: return host.process == nil ? nil : .sourceDoesNotRun
        case .handedOver, .unsettled:
            if out.isCancelled { return .cancelIgnored }
            return out.hasSentGo ? nil : .sourceDoesNotRun
        }
    }

    /// A state in which everything may stay: the VM runs where it should, or people are told what to do.
    func isGoalState(within bounds: Bounds) -> Bool {
        guard queries.isEmpty, isHostAtRest(at: .s), isHostAtRest(at: .d) else { return false }
        if bounds.mustMove {
            return migrations == bounds.migrations && hosts[.d].isRunning && hosts[.d].mayRun
        }
        let running = Side.allCases.filter { hosts[$0].isRunning }
        if running.isEmpty { return Side.allCases.contains(where: hasStatedRecovery) }
        return running.count == 1 && isOwnedSolely(by: running[0])
    }

    /// A host without power rests.
    private func isHostAtRest(at side: Side) -> Bool {
        !hosts[side].isOn || hosts[side].isUp && hosts[side].isAtRest
    }

    private func isOwnedSolely(by side: Side) -> Bool {
        guard hosts[side].mayRun else { return false }
        if !hosts[side.other].isOn { return true }
        if case .takenOver? = hosts[side].ledger.ownership { return false }
        return !hosts[side.other].mayRun
    }

    /// Nothing runs, and that is reported, with what to do.
    private func hasStatedRecovery(on side: Side) -> Bool {
        let host = hosts[side]
        switch host.ledger.ownership {
        case .released?:
            // Its own host returns and asks, or the other host returns, or an operator takes the VM over.
            return !host.isOn || !hosts[side.other].isOn
        case .owned?, .takenOver?:
            // Its process was killed: a VM that is lost, and reported so.
            return !host.isOn || host.process == nil && host.hasLostProcess
        case .handedOver?, .superseded?, .incoming?, .neverRan?, .deleted?, nil: return false
        }
    }
}
