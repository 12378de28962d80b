// What the store keeps of an operation: its plan, what came of each move, and what must be known to continue. Which of
// its moves are under way is not here: the orders stand in the VMs' records and name the operation.

package import API
package import Model

/// One planned move of an operation, and its outcome.
package struct MoveRecord: Hashable, Sendable, Codable {
    package enum Outcome: String, Hashable, Sendable, Codable {
        /// It waits, or is under way: its VM's record says which.
        case open = "waiting"
        case done
        /// Tried as often as allowed; `reason` has the last failure. The VM is where it was.
        case failed
        /// Not needed any more, or the operation was cancelled first.
        case skipped

        package init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            // Records of earlier versions say of an open move that it is under way, too.
            guard let outcome = Self(rawValue: text == "running" ? "waiting" : text) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "'\(text.prefix(40))' is no outcome of a move")
            }
            self = outcome
        }
    }

    package var vm: VMName
    package var vmID: VMID
    package var from: HostName
    package var to: HostName
    package var plannedFor: PlannedFor
    package var why: String
    /// Moves of one wave are made side by side.
    package var wave: Int
    package var predicted: MovePrediction
    package var outcome: Outcome = .open
    /// Attempts that were begun.
    package var attempts = 0
    /// The migration that decided the outcome.
    package var migration: MigrationID?
    package var reason: String?
    package var actualSeconds: Double?
    package var actualDowntimeMs: Double?
    package var actualBytes: UInt64?

    package init(
        vm: VMName, vmID: VMID, from: HostName, to: HostName, plannedFor: PlannedFor, why: String,
        wave: Int, predicted: MovePrediction
    ) {
        self.vm = vm
        self.vmID = vmID
        self.from = from
        self.to = to
        self.plannedFor = plannedFor
        self.why = why
        self.wave = wave
        self.predicted = predicted
    }

    var isOpen: Bool { outcome == .open }

    /// It ends without its VM having moved.
    mutating func closeUnmoved(as outcome: Outcome, because reason: String) {
        self.outcome = outcome
        self.reason = reason
    }

    private enum CodingKeys: String, CodingKey {
        case vm, vmID, from, to, plannedFor, why, wave, predicted, attempts, migration, reason
        case actualSeconds, actualDowntimeMs, actualBytes
        case outcome = "state"
    }
}

/// A VM that a plan leaves where it is, and why.
package struct UnmovedVM: Hashable, Sendable, Codable {
    package var vm: VMName
    package var why: String
}

package struct PlanRecord: Hashable, Sendable, Codable {
    package var moves: [MoveRecord]
    package var left: [UnmovedVM]
    package var waves: Int
    /// Of all waves, one after the other.
    package var seconds: Estimate
    /// Of balance: the imbalance before, and after all moves.
    package var imbalanceBefore: Double?
    package var imbalanceAfter: Double?
    /// Why the plan ends where it ends.
    package var outcome: String?
}

/// An operation, and what must be known to continue it.
package struct OperationRecord: Hashable, Sendable {
    package var version: Version = 1
    package let id: OperationID
    package var kind: OperationInfo.Kind
    package var state: OperationInfo.State = .running
    package var host: HostName?
    package var startedAtMs: Int64
    package var endedAtMs: Int64?
    /// The identity, the token's name or the part ("balance") that asked for it.
    package var startedBy: String
    package var plan: PlanRecord
    package var movesDone = 0
    package var detail: String?
    /// Moves at once, where the operator chose.
    package var parallel: Int?
    /// Its moves may go elsewhere than planned, where the destination turns out not to take them.
    package var mayRedirect = false

    init(
        id: OperationID, kind: OperationInfo.Kind, host: HostName?, startedAtMs: Int64,
        startedBy: String, plan: PlanRecord
    ) {
        self.id = id
        self.kind = kind
        self.host = host
        self.startedAtMs = startedAtMs
        self.startedBy = startedBy
        self.plan = plan
    }

    var isOver: Bool { state != .running && state != .cancelling }

    static func isOlderOperation(_ first: Self, than second: Self) -> Bool {
        (first.startedAtMs, first.id.description) < (second.startedAtMs, second.id.description)
    }
}

extension OperationRecord: Codable {
    private enum CodingKeys: String, CodingKey {
        case version, info, parallel, mayRedirect
    }

    /// What stands under `info`.
    private enum InfoKeys: String, CodingKey {
        case id, revision, kind, state, host, startedAtMs, endedAtMs, startedBy, plan, movesDone
        case detail
    }

    package init(from decoder: any Decoder) throws {
        let record = try decoder.container(keyedBy: CodingKeys.self)
        version = try record.decode(Version.self, forKey: .version)
        parallel = try record.decodeIfPresent(Int.self, forKey: .parallel)
        mayRedirect = try record.decode(Bool.self, forKey: .mayRedirect)
        let info = try record.nestedContainer(keyedBy: InfoKeys.self, forKey: .info)
        id = try info.decode(OperationID.self, forKey: .id)
        kind = try info.decode(OperationInfo.Kind.self, forKey: .kind)
        state = try info.decode(OperationInfo.State.self, forKey: .state)
        host = try info.decodeIfPresent(HostName.self, forKey: .host)
        startedAtMs = try info.decode(Int64.self, forKey: .startedAtMs)
        endedAtMs = try info.decodeIfPresent(Int64.self, forKey: .endedAtMs)
        startedBy = try info.decode(String.self, forKey: .startedBy)
        plan = try info.decode(PlanRecord.self, forKey: .plan)
        movesDone = try info.decode(Int.self, forKey: .movesDone)
        detail = try info.decodeIfPresent(String.self, forKey: .detail)
    }

    package func encode(to encoder: any Encoder) throws {
        var record = encoder.container(keyedBy: CodingKeys.self)
        try record.encode(version, forKey: .version)
        try record.encodeIfPresent(parallel, forKey: .parallel)
        try record.encode(mayRedirect, forKey: .mayRedirect)
        var info = record.nestedContainer(keyedBy: InfoKeys.self, forKey: .info)
        try info.encode(id, forKey: .id)
        try info.encode(version, forKey: .revision)
        try info.encode(kind, forKey: .kind)
        try info.encode(state, forKey: .state)
        try info.encodeIfPresent(host, forKey: .host)
        try info.encode(startedAtMs, forKey: .startedAtMs)
        try info.encodeIfPresent(endedAtMs, forKey: .endedAtMs)
        try info.encode(startedBy, forKey: .startedBy)
        try info.encode(plan, forKey: .plan)
        try info.encode(movesDone, forKey: .movesDone)
        try info.encodeIfPresent(detail, forKey: .detail)
    }
}
