// The controller's things as a history writes them.

import API
import Glibc
import History
import Model

/// Milliseconds since 1970.
func wallMilliseconds() -> Int64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

extension CommandFailure {
    init(_ error: HistoryWriteError) {
        switch error {
        case .notAHistory, .otherCluster, .taken:
            self.init(.refused, code: "not_this_history", message: "\(error)")
        case .system, .notWritable: self.init(.failed, code: "not_written", message: "\(error)")
        }
    }
}

extension RecordedHost {
    init(_ host: ClusterHost) {
        let facts = host.registration
        self.init(
            name: host.name, cores: facts.cores, memoryBytes: Int64(clamping: facts.memoryBytes))
        state = host.state
        isFenced = host.isFenced
        memoryReserveBytes = Int64(clamping: facts.memoryReserveBytes)
        cpuOvercommit = facts.cpuOvercommit
        memoryOvercommit = facts.memoryOvercommit
        features = facts.cpuFeatures
        labels = facts.labels
        (zone, rack, link) = (facts.zone, facts.rack, facts.link)
        linkBytesPerSecond = facts.linkBytesPerSecond
    }
}

extension HostReading {
    /// Nil: its agent has not said anything to this controller yet.
    init?(_ host: ClusterHost) {
        guard host.heardOfMsAgo != nil, host.state != .unreachable else { return nil }
        self.init(cores: host.cpuCores, memoryBytes: Int64(clamping: host.memoryUsedBytes))
    }
}

extension RecordedGroup {
    init(_ group: GroupSpec) {
        let rule: Rule =
            switch group.kind {
            case .affinity: .affinity
            case .antiAffinity: .antiAffinity
            }
        let scope: Scope =
            switch group.scope ?? .host {
            case .host: .host
            case .rack: .rack
            case .zone: .zone
            }
        self.init(
            name: group.name, rule: rule, scope: scope, softWeight: group.softWeight,
            perDomainMax: group.perDomainMax ?? 1)
    }
}

extension RecordedVM {
    init(_ vm: ClusterVM) {
        self.init(
            name: vm.name, id: vm.id, vcpus: vm.spec.vcpus,
            memoryBytes: Int64(clamping: vm.spec.memory.bytes))
        labels = vm.policy.labels
        groups = vm.policy.groups.map(\.name)
        pinnedHost = vm.policy.pinnedHost
        priority = vm.policy.priority
        mayBeBalanced = vm.policy.mayBeBalanced
        downtimeLimitMs = vm.spec.downtimeLimit.milliseconds
    }
}

extension RecordedPlace {
    init(_ vm: ClusterVM) {
        let state: State =
            switch vm.state {
            case .pending: .pending
            case .starting: .starting
            case .running: .running
            case .paused: .paused
            case .migrating: .migrating
            case .stopping: .stopping
            case .stopped: .stopped
            case .failed: .failed
            case .unknown: .unknown
            case .deleting: .deleting
            }
        self.init(
            vm: vm.name, state: state, host: vm.host, destination: vm.destination,
            reason: vm.reason)
    }
}

extension VMReading {
    /// Nil: nothing is measured yet, or nobody knows what it does. A VM that has ended uses nothing.
    init?(_ vm: ClusterVM) {
        switch vm.state {
        case .stopped, .failed:
            self.init(cores: 0, memoryBytes: 0, dirtyBytesPerSecond: 0)
        case .pending, .starting, .unknown: return nil
        case .running, .paused, .migrating, .stopping, .deleting:
            guard let cores = vm.cpuCores, let memory = vm.memoryUsedBytes else { return nil }
            self.init(
                cores: cores, memoryBytes: Int64(clamping: memory),
                dirtyBytesPerSecond: vm.dirtyBytesPerSecond.map {
                    Int64(min(max($0, 0), 0x1p52).rounded())
                })
        }
    }
}

extension OperationInfo {
    /// Its migrations that are over.
    var recordedMoves: [RecordedMove] {
        plan.moves.compactMap { move in
            guard let outcome = move.recordedOutcome else { return nil }
            return RecordedMove(
                vm: move.vm, from: move.from, to: move.to, outcome: outcome,
                attempts: move.attempts, plannedFor: move.plannedFor.rawValue, operation: id,
                migration: move.migration, reason: move.reason,
                predictedSeconds: RecordedEstimate(move.predicted.seconds),
                predictedDowntimeMs: RecordedEstimate(move.predicted.downtimeMs),
                predictedBytes: RecordedEstimate(move.predicted.bytes),
                seconds: move.actualSeconds, downtimeMs: move.actualDowntimeMs,
                bytes: move.actualBytes.map { Int64(clamping: $0) })
        }
    }
}

extension MoveInfo {
    fileprivate var recordedOutcome: RecordedMove.Outcome? {
        switch state {
        case .done: .done
        case .failed: .failed
        case .waiting, .running, .skipped: nil
        }
    }
}

extension RecordedEstimate {
    fileprivate init(_ estimate: Estimate) {
        self.init(low: estimate.low, expected: estimate.expected, high: estimate.high)
    }
}
