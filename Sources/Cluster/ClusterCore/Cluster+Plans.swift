// Plans: what the scheduler proposes, from the cluster as it is and as the operations under way will make it, in words.

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
    var why: String? {
        switch self {
        case .ready: nil
        case .later(let why), .never(let why): why
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
        if hosts[place.host]?.silence?.fence != nil { return .never("its host is unreachable") }
        guard isHeard(place.host) else { return .later("its host does not answer") }
        guard let sight = vmSights[vm.id], let report = sight.reports[place.host] else {
            return .later("its host has not reported it")
        }
        switch report.state {
        case .running: break
        case .paused: return .never("it is paused: resume it first")
        case .incoming: return .later("it is arriving")
        case .stopped, .failed:
            let why = "it has ended: start it or delete it"
            return vm.policy.failurePolicy == .restart || vm.bootWanted ? .later(why) : .never(why)
        }
        if report.ownership != .owned { return .later("its ledger says \(report.ownership)") }
        if let activity = report.activity { return .later("it is \(activity)") }
        return sight.command == nil ? .ready : .later("its host is being asked something")
    }

    /// It does not run and shall not: nothing of it would be lost if it began anew elsewhere.
    func isAtRest(_ vm: ClusterVMRecord) -> Bool {
        guard let place = vm.place, vm.policy.desired == .stopped, !vm.isDeleting, vm.move == nil,
            isHeard(place.host), let report = vmSights[vm.id]?.reports[place.host]
        else { return false }
        return (report.state == .stopped || report.state == .failed) && report.ownership == .owned
    }

    func moveLimits(parallel: Int? = nil) -> MoveLimits {
        let settings = balance.settings
        return MoveLimits(
            perHost: settings.perHost, perLink: settings.perLink,
            perCluster: min(settings.perCluster, parallel ?? .max))
    }

    /// The cluster that a new plan begins with: what waiting moves of other operations will need is taken, and VMs
    /// that cannot be moved now stay.
    func planningState(without operation: OperationID? = nil) -> ClusterState {
        var state = scheduler
        for vm in vms.values where readiness(of: vm) != .ready {
            if let row = state.vm(vm.id) { state.setMayBeBalanced(false, of: row) }
        }
        for other in operations.values.filter({ !$0.info.isOver && $0.info.id != operation })
            .sorted(by: OperationRecord.isOlder)
        {
            for move in other.info.plan.moves where move.state == .waiting {
                reserve(move, in: &state)
            }
        }
        return state
    }

    private func reserve(_ move: MoveInfo, in state: inout ClusterState) {
        guard let row = state.vm(move.vmID), let to = state.host(named: move.to.text),
            let from = state.host(named: move.from.text), state.host(of: row) == from,
            state.target(of: row) == nil, state.refusal(of: row, on: to, for: .migration) == nil
        else { return }
        state.beginMove(row, to: to)
    }
}

// MARK: - In words

extension Cluster {
    /// A plan as clients see it. `state`: what it was made from.
    func show(_ plan: MovePlan, from state: ClusterState) -> PlanInfo {
        PlanInfo(
            moves: plan.moves.compactMap { show($0, from: state) },
            left: plan.left.compactMap { left in
                vmName(left.vm, in: state).map { LeftBehind(vm: $0, why: "\(left.why)") }
            }, waves: plan.waves, seconds: Estimate(plan.duration))
    }

    private func show(_ move: PlannedMove, from state: ClusterState) -> MoveInfo? {
        guard let name = vmName(move.vm, in: state) else { return nil }
        return MoveInfo(
            vm: name, vmID: state.description(of: move.vm).id, from: hostName(move.from),
            to: hostName(move.to), plannedFor: PlannedFor(move.reason),
            why: why(move, from: state), wave: move.wave,
            predicted: MovePrediction(move.prediction))
    }

    /// VMs that the cluster keeps, and those that only their host knows.
    func vmName(_ row: VMIndex, in state: ClusterState) -> VMName? {
        let vm = state.description(of: row)
        return names[vm.id] ?? (try? VMName(vm.name))
    }

    private func why(_ move: PlannedMove, from state: ClusterState) -> String {
        let (from, to) = (hostName(move.from), hostName(move.to))
        switch move.reason {
        case .levels(let before, let after, let worth, let cost):
            return
                "imbalance \(rounded(before, 4)) to \(rounded(after, 4)), worth \(rounded(worth, 1)) host seconds, costs \(rounded(cost, 1))"
        case .empties(let worth, let cost):
            return
                "empties host \(from), worth \(rounded(worth, 1)) host seconds, costs \(rounded(cost, 1)); host \(to) \(room(on: move.to, in: state))"
        case .drains:
            return "host \(from) is drained; host \(to) \(room(on: move.to, in: state))"
        case .makesRoom(let other):
            return
                "makes room on host \(from) for VM \(state.description(of: other).name); host \(to) \(room(on: move.to, in: state))"
        case .stopsOver(let destination):
            return
                "stops over: host \(hostName(destination)) has no room for it before others have left"
        case .returns:
            return "goes back to host \(to), which was drained; it \(room(on: move.to, in: state))"
        }
    }

    func room(on host: HostIndex, in state: ClusterState) -> String {
        let free = state.free(on: host)
        return
            "has \(thousandthsText(free.milliCPUs)) vCPUs and \(bytesText(free.memoryBytes)) of memory free"
    }

    func rounded(_ value: Double, _ digits: Int) -> Double {
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        return (value * scale).rounded() / scale
    }
}

extension PlannedFor {
    init(_ reason: MoveReason) {
        self =
            switch reason {
            case .levels, .empties: .balance
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

extension OperationRecord {
    static func isOlder(_ first: Self, _ second: Self) -> Bool {
        (first.info.startedAtMs, first.info.id.description)
            < (second.info.startedAtMs, second.info.id.description)
    }
}
