// Balance: at every interval the measured load is looked at, and where moves are worth it they are proposed or made.
//
// A plan needs figures that hold: every active host has been heard, nothing moves, and two heartbeats have come since
// the last move ended, so that load was measured where VMs are now. What keeps VMs from going to and fro (hysteresis,
// cool-down, price of a move) is in Placement's BalanceRules; VMs' records remember when and from where they were moved.

package import API
import Model
import Placement

/// The balancer's memory between two looks.
struct BalancerSight {
    var lastPlan: PlanInfo?
    var lastPlanAtMs: Int64?
    var lookedAt: Duration?
    var lastMoveEndedAt: Duration?
}

extension Cluster {
    package func balanceInfo() -> BalanceInfo {
        BalanceInfo(
            settings: balance.settings, revision: balance.version, imbalance: imbalance,
            lastPlan: balancer.lastPlan, lastPlanAtMs: balancer.lastPlanAtMs,
            operation: balanceUnderWay?.info.id)
    }

    private var balanceUnderWay: OperationRecord? {
        operations.values.first { $0.info.kind == .balance && !$0.info.isOver }
    }

    package mutating func updateBalance(
        _ update: UpdateBalance, _ now: Moment, _ output: inout Output
    ) throws(Problem) -> BalanceInfo {
        let settings = balance.settings.changed(by: update)
        if let problem = settings.problem { throw Problem(.invalid, problem) }
        if settings != balance.settings {
            balance.settings = settings
            balance.version += 1
            output.note(.balance)
            balancer.lookedAt = nil
        }
        return balanceInfo()
    }

    /// A plan for the load as it is, whatever the mode. Nothing is moved.
    package mutating func planBalance(_ now: Moment) throws(Problem) -> PlanInfo {
        if let host = unheardHost {
            throw Problem(
                .wrongState,
                "host \(host) has not told its load to this controller yet: try again in a few seconds"
            )
        }
        refreshLastMoves(now)
        let state = planningState()
        let plan = state.planBalance(BalanceRules(balance.settings), costs: costs)
        var shown = show(plan.moves, from: state)
        shown.imbalanceBefore = plan.before
        shown.imbalanceAfter = plan.after
        shown.outcome = "\(plan.outcome)"
        return shown
    }

    /// Makes a plan's moves now, whatever the mode. Without a move that is worth it, the operation is over at once.
    package mutating func runBalance(
        by who: String, _ now: Moment, _ output: inout Output
    ) throws(Problem) -> OperationInfo {
        if let run = balanceUnderWay {
            throw Problem(.wrongState, "balance operation \(run.info.id) is under way")
        }
        let plan = try planBalance(now)
        let id = begin(.balance, plan, by: who, now, &output)
        advance(id, now, &output)
        return try operation(id)
    }

    /// An active host whose load is not known: it has not sent two heartbeats to this controller.
    private var unheardHost: HostName? {
        hostNames.items.first {
            hosts[$0]?.state == .active && (hostSights[$0]?.heartbeats ?? 0) < 2
        }
    }

    mutating func tickBalance(_ now: Moment, _ output: inout Output) {
        let interval = Duration.seconds(balance.settings.intervalSeconds)
        guard balance.settings.mode != .off, isCalm(now),
            balancer.lookedAt.map({ now.uptime - $0 >= interval }) ?? true
        else { return }
        let plan: PlanInfo
        do throws(Problem) { plan = try planBalance(now) } catch { return }
        balancer.lookedAt = now.uptime
        balancer.lastPlan = plan
        balancer.lastPlanAtMs = now.wallMs
        guard balance.settings.mode == .auto, !plan.moves.isEmpty else { return }
        let id = begin(.balance, plan, by: "balance", now, &output)
        advance(id, now, &output)
    }

    /// Nothing moves, nothing is about to, and what was measured was measured since.
    private func isCalm(_ now: Moment) -> Bool {
        guard moving.isEmpty, unheardHost == nil,
            !operations.values.contains(where: { !$0.info.isOver })
        else { return false }
        return balancer.lastMoveEndedAt.map { now.uptime - $0 > settings.heartbeat * 2 } ?? true
    }

    // MARK: What moves cost

    /// The next prediction is nearer to what this migration took.
    mutating func fitCosts(
        to info: MigrationInfo, predicted: MovePrediction?, _ move: MoveOrder
    ) {
        guard let report = info.report, let predicted else { return }
        let (seconds, bytes) = (report.totalMs / 1000, predicted.bytes.expected)
        let links = [move.from, move.to].compactMap { hosts[$0]?.registration.linkBytesPerSecond }
        if bytes >= Limits.bytesForSpeed, seconds > costs.fixedSeconds {
            let speed = bytes / (seconds - costs.fixedSeconds)
            // At the link's speed it says nothing about the engine's.
            if speed < (links.min() ?? .infinity) * 0.9 {
                costs.engineBytesPerSecond = fitted(
                    costs.engineBytesPerSecond, speed, Limits.engineSpeeds)
            }
        } else {
            costs.fixedSeconds = fitted(
                costs.fixedSeconds, seconds - bytes / costs.engineBytesPerSecond,
                Limits.fixedSeconds)
        }
        let pages = predicted.downtimeMs.expected / 1000 - costs.fixedDowntime
        costs.fixedDowntime = fitted(
            costs.fixedDowntime, report.downtimeMs / 1000 - max(0, pages), Limits.fixedDowntimes)
    }

    private func fitted(
        _ before: Double, _ sample: Double, _ range: ClosedRange<Double>
    ) -> Double {
        guard sample.isFinite else { return before }
        let sample = min(max(sample, range.lowerBound), range.upperBound)
        return before + (sample - before) * Limits.smoothing
    }
}

extension BalanceRules {
    init(_ settings: BalanceSettings) {
        self.init()
        startAbove = settings.startAbove
        settleAt = settings.settleAt
        movesMax = settings.movesMax
        coolDown = .seconds(settings.coolDownSeconds)
        returnBar = .seconds(settings.returnBarSeconds)
        price?.horizon = .seconds(settings.horizonSeconds)
        limits = MoveLimits(
            perHost: settings.perHost, perLink: settings.perLink, perCluster: settings.perCluster)
    }
}

extension BalanceSettings {
    func changed(by update: UpdateBalance) -> BalanceSettings {
        BalanceSettings(
            mode: update.mode ?? mode, intervalSeconds: update.intervalSeconds ?? intervalSeconds,
            startAbove: update.startAbove ?? startAbove, settleAt: update.settleAt ?? settleAt,
            coolDownSeconds: update.coolDownSeconds ?? coolDownSeconds,
            returnBarSeconds: update.returnBarSeconds ?? returnBarSeconds,
            horizonSeconds: update.horizonSeconds ?? horizonSeconds,
            movesMax: update.movesMax ?? movesMax, perHost: update.perHost ?? perHost,
            perLink: update.perLink ?? perLink, perCluster: update.perCluster ?? perCluster)
    }

    /// The first thing wrong with it; nil when it can be used.
    var problem: String? {
        let year = 31_536_000.0
        let figures: [(String, Double, ClosedRange<Double>)] = [
            ("intervalSeconds", intervalSeconds, 1...86_400),
            ("startAbove", startAbove, 0...2), ("settleAt", settleAt, 0...2),
            ("coolDownSeconds", coolDownSeconds, 0...year),
            ("returnBarSeconds", returnBarSeconds, 0...year),
            ("horizonSeconds", horizonSeconds, 1...year),
            ("movesMax", Double(movesMax), 1...Double(Limits.movesOfOperationMax)),
            ("perHost", Double(perHost), 1...1000), ("perLink", Double(perLink), 1...1000),
            ("perCluster", Double(perCluster), 1...1000),
        ]
        for (name, value, range) in figures where !range.contains(value) {
            return
                "\(name) is \(value): use \(range.lowerBound) to \(range.upperBound)"
        }
        if settleAt > startAbove {
            return
                "settleAt is \(settleAt), above startAbove, which is \(startAbove): balance would end before it begins"
        }
        return nil
    }
}
