// Long work of the cluster: what it is, how far it is, how it ended. It lives in the store and survives controllers.

package import Model

/// One move of a plan, and what came of it.
package struct MoveInfo: Hashable, Sendable, Codable {
    package enum State: String, Hashable, Sendable, Codable, CaseIterable {
        /// Waits for its wave, for room, or to be tried again.
        case waiting
        case running
        case done
        /// Tried as often as may be; `reason` says what went wrong last. The VM is where it was.
        case failed
        /// Not needed any more, or the operation was cancelled first.
        case skipped
    }

    package var vm: VMName
    package var vmID: VMID
    package var from: HostName
    package var to: HostName
    package var plannedFor: PlannedFor
    /// One sentence: "imbalance 0.31 to 0.22, worth 40.1 host seconds, costs 1.2".
    package var why: String
    /// Moves of one wave go side by side.
    package var wave: Int
    package var predicted: MovePrediction
    package var state: State
    package var attempts: Int
    package var migration: MigrationID?
    package var reason: String?
    package var actualSeconds: Double?
    package var actualDowntimeMs: Double?
    package var actualBytes: UInt64?

    package init(
        vm: VMName, vmID: VMID, from: HostName, to: HostName, plannedFor: PlannedFor, why: String,
        wave: Int, predicted: MovePrediction, state: State = .waiting, attempts: Int = 0,
        migration: MigrationID? = nil, reason: String? = nil, actualSeconds: Double? = nil,
        actualDowntimeMs: Double? = nil, actualBytes: UInt64? = nil
    ) {
        self.vm = vm
        self.vmID = vmID
        self.from = from
        self.to = to
        self.plannedFor = plannedFor
        self.why = why
        self.wave = wave
        self.predicted = predicted
        self.state = state
        self.attempts = attempts
        self.migration = migration
        self.reason = reason
        self.actualSeconds = actualSeconds
        self.actualDowntimeMs = actualDowntimeMs
        self.actualBytes = actualBytes
    }
}

/// A VM that a plan leaves where it is, and why.
package struct LeftBehind: Hashable, Sendable, Codable {
    package var vm: VMName
    package var why: String

    package init(vm: VMName, why: String) {
        self.vm = vm
        self.why = why
    }
}

/// A plan before anything is done, for drains, balance and returns alike.
package struct PlanInfo: Hashable, Sendable, Codable {
    package var moves: [MoveInfo]
    package var left: [LeftBehind]
    package var waves: Int
    /// Of all waves, one after the other.
    package var seconds: Estimate
    /// Of balance: the imbalance before, and after all moves.
    package var imbalanceBefore: Double?
    package var imbalanceAfter: Double?
    /// Why the plan ends where it ends: "no move is worth it: …".
    package var outcome: String?

    package init(
        moves: [MoveInfo], left: [LeftBehind], waves: Int, seconds: Estimate,
        imbalanceBefore: Double? = nil, imbalanceAfter: Double? = nil, outcome: String? = nil
    ) {
        self.moves = moves
        self.left = left
        self.waves = waves
        self.seconds = seconds
        self.imbalanceBefore = imbalanceBefore
        self.imbalanceAfter = imbalanceAfter
        self.outcome = outcome
    }
}

package struct OperationInfo: Hashable, Sendable, Codable {
    package typealias Kind = OperationKind
    package typealias State = OperationState

    package var id: OperationID
    package var revision: UInt64
    package var kind: Kind
    package var state: State
    package var host: HostName?
    package var startedAtMs: Int64
    package var endedAtMs: Int64?
    /// Who asked: an identity, a token's name, "balance".
    package var startedBy: String
    package var plan: PlanInfo
    package var movesDone: Int
    package var detail: String?

    package init(
        id: OperationID, revision: UInt64, kind: Kind, state: State, host: HostName?,
        startedAtMs: Int64, endedAtMs: Int64? = nil, startedBy: String, plan: PlanInfo,
        movesDone: Int, detail: String? = nil
    ) {
        self.id = id
        self.revision = revision
        self.kind = kind
        self.state = state
        self.host = host
        self.startedAtMs = startedAtMs
        self.endedAtMs = endedAtMs
        self.startedBy = startedBy
        self.plan = plan
        self.movesDone = movesDone
        self.detail = detail
    }

    package var isOver: Bool { state != .running && state != .cancelling }
}

/// Move one VM: to a host, or to the best one.
package struct MigrateVM: Hashable, Sendable, Codable {
    package var to: HostName?
    package init(to: HostName? = nil) { self.to = to }
}
