// Plans: what the scheduler proposes, from the cluster as it is and as the operations under way will make it, with reasons
// in text.

import API
import Model
import Placement

/// Whether a VM can be moved.
enum Readiness: Hashable {
    case ready
    /// Not now, for something that should pass.
    case later(String)
    case never(String)

    /// Nil when it can be moved.
    var reason: String? {
        switch self {
        case .ready: nil
        case .later(let reason), .never(let reason): reason
        }
    }
}

extension Cluster {
    /// Whether a VM can be moved away from where it is. Only one that runs can: a migration moves a running guest.
    func readiness(of vm: ClusterVMRecord) -> Readiness {
        if vm.isDeleting { return .never("it is being deleted") }
        if let move = vm.move { return .later("it is moved to host \(move.to) already") }
        if vm.policy.desired == .stopped { return .never("it is stopped") }
        guard let place = vm.place else {
            return vm.start == nil
                ? .never("it runs nowhere") : .later("it is being started")
        }
        if records.hosts[place.host]?.silence?.fence != nil {
            return .never("its host is unreachable")
        }
        guard hasCurrentHeartbeat(from: place.host) else {
            return .later("its host does not answer")
        }
        guard let report = latestReport(of: vm.id, from: place.host) else {
            return .later("its host has not reported it")
        }
        switch report.state {
        case .running: break
        case .paused: return .never("it is paused: resume it first")
        case .incoming: return .later("it is arriving")
        case .stopped, .failed:
            let reason = "it has ended: start it or delete it"
            return vm.policy.failurePolicy == .restart || vm.bootWanted
                ? .later(reason) : .never(reason)
        }
        if report.ownership != .owned { return .later("its ledger says \(report.ownership)") }
        if let activity = report.activity { return .later("it is \(activity)") }
        return commands.hasCommand(for: vm.id)
            ? .later("a command to its host is under way") : .ready
    }

    /// It does not run and shall not: nothing of it would be lost if it began anew elsewhere.
    func isVMAtRest(_ vm: ClusterVMRecord) -> Bool {
        guard let place = vm.place, vm.policy.desired == .stopped, !vm.isDeleting, vm.move == nil,
            hasCurrentHeartbeat(from: place.host),
            let report = latestReport(of: vm.id, from: place.host)
        else { return false }
        return (report.state == .stopped || report.state == .failed) && report.ownership == .owned
    }

    func moveLimits(parallel: Int? = nil) -> MoveLimits {
        let settings = records.balance.settings
        return MoveLimits(
            perHost: settings.perHost, perLink: settings.perLink,
            perCluster: min(settings.perCluster, parallel ?? .max))
    }

    /// The cluster that a new plan begins with: what waiting moves of other operations will need is taken, and VMs
    /// that cannot be moved now stay.
    func planningState(without operation: OperationID? = nil) -> ClusterState {
        var state = scheduling.state
        for vm in records.vms.all where readiness(of: vm) != .ready {
            if let row = state.indexOfVM(withID: vm.id) {
                state.setBalancing(allowed: false, of: row)
            }
        }
        for other in records.operations.underWay where other.id != operation {
            for move in other.plan.moves where move.isOpen { reserveRoom(for: move, in: &state) }
        }
        return state
    }

    /// A move under way has taken its room already.
    private func reserveRoom(for move: MoveRecord, in state: inout ClusterState) {
        guard let row = state.indexOfVM(withID: move.vmID),
            let to = state.indexOfHost(named: move.to.text),
            let from = state.indexOfHost(named: move.from.text), state.currentHost(of: row) == from,
            state.migrationTarget(of: row) == nil,
            state.refusalReason(of: row, on: to, for: .migration) == nil
        else { return }
        state.beginMigration(of: row, to: to)
    }
}

// MARK: - Text

extension Cluster {
    /// - Parameter state: what the plan was made from.
    func planRecord(for plan: MovePlan, from state: ClusterState) -> PlanRecord {
        PlanRecord(
            moves: plan.moves.compactMap { moveRecord(for: $0, from: state) },
            left: plan.left.compactMap { left in
                displayName(of: left.vm, in: state).map { UnmovedVM(vm: $0, why: "\(left.reason)") }
            }, waves: plan.waves, seconds: Estimate(plan.duration))
    }

    private func moveRecord(for move: PlannedMove, from state: ClusterState) -> MoveRecord? {
        guard let name = displayName(of: move.vm, in: state) else { return nil }
        return MoveRecord(
            vm: name, vmID: state.description(of: move.vm).id,
            from: scheduling.hostName(at: move.from), to: scheduling.hostName(at: move.to),
            plannedFor: PlannedFor(move.reason), why: reasonText(of: move, from: state),
            wave: move.wave, predicted: MovePrediction(move.prediction))
    }

    /// The names of VMs that the cluster keeps, and of those that only their host knows.
    func displayName(of row: VMIndex, in state: ClusterState) -> VMName? {
        let vm = state.description(of: row)
        return records.vms.recordName(of: vm.id) ?? (try? VMName(vm.name))
    }

    private func reasonText(of move: PlannedMove, from state: ClusterState) -> String {
        let (from, to) = (scheduling.hostName(at: move.from), scheduling.hostName(at: move.to))
        let room = freeRoomText(on: move.to, in: state)
        switch move.reason {
        case .balances(let before, let after, let worth, let cost):
            return
                "imbalance \(roundedDecimal(before, digits: 4)) to \(roundedDecimal(after, digits: 4)), worth \(roundedDecimal(worth, digits: 1)) host seconds, costs \(roundedDecimal(cost, digits: 1))"
        case .empties(let worth, let cost):
            return
                "empties host \(from), worth \(roundedDecimal(worth, digits: 1)) host seconds, costs \(roundedDecimal(cost, digits: 1)); host \(to) \(room)"
        case .drains:
            return "host \(from) is drained; host \(to) \(room)"
        case .makesRoom(let other):
            return
                "makes room on host \(from) for VM \(state.description(of: other).name); host \(to) \(room)"
        case .stopsOver(let destination):
            return
                "stops over: host \(scheduling.hostName(at: destination)) has no room for it before others have left"
        case .returns:
            return "goes back to host \(to), which was drained; it \(room)"
        }
    }

    private func freeRoomText(on host: HostIndex, in state: ClusterState) -> String {
        let free = state.freeResources(on: host)
        return
            "has \(thousandthsText(for: free.milliCPUs)) vCPUs and \(bytesText(for: free.memoryBytes)) of memory free"
    }

    private func roundedDecimal(_ value: Double, digits: Int) -> Double {
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        return (value * scale).rounded() / scale
    }
}

extension PlannedFor {
    init(_ reason: MoveReason) {
        self =
            switch reason {
            case .balances, .empties: .balance
            case .drains: .drain
            case .makesRoom: .room
            case .stopsOver: .stopover
            case .returns: .return
            }
    }
}

extension Estimate {
    init(_ predicted: Predicted<Duration>, unit: Double = 1) {
        self.init(
            low: predicted.lower.seconds * unit, expected: predicted.expected.seconds * unit,
            high: predicted.upper.seconds * unit)
    }
}

extension MovePrediction {
    init(_ prediction: MigrationPrediction) {
        let bytes = prediction.bytes
        self.init(
            seconds: Estimate(prediction.duration),
            downtimeMs: Estimate(prediction.downtime, unit: 1000),
            bytes: Estimate(
                low: Double(bytes.lower), expected: Double(bytes.expected),
                high: Double(bytes.upper)),
            isThrottled: prediction.isThrottled, keepsDowntimeLimit: prediction.keepsDowntimeLimit)
    }
}
