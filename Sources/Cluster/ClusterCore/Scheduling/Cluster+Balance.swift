// Balance: at every interval the measured load is looked at, and where moves are worth it they are proposed or made.
//
// A plan needs figures that hold: every active host has been heard, nothing is migrated, and two heartbeats have come
// since the last migration ended, so that load was measured where VMs are now. What keeps VMs from going to and fro
// (hysteresis, cool-down, price of a move) is in Placement's BalanceRules; VMs' records remember when and from where they
// were moved.

package import API
import Model
import Placement

/// The balancer's memory between two looks.
struct BalancerState {
    private(set) var lastPlan: PlanRecord?
    private(set) var lastPlanAtMs: Int64?
    private var lookedAt: Duration?
    private var lastMigrationEndedAt: Duration?

    mutating func recordPlan(_ plan: PlanRecord, at now: Moment) {
        lookedAt = now.uptime
        lastPlan = plan
        lastPlanAtMs = now.wallMs
    }

    mutating func recordMigrationEnd(at now: Duration) { lastMigrationEndedAt = now }

    /// The settings have changed: the next look need not wait for its interval.
    mutating func requestEarlyCheck() { lookedAt = nil }

    func isPlanDue(every interval: Duration, at now: Duration) -> Bool {
        lookedAt.map { now - $0 >= interval } ?? true
    }

    func hasBeenIdle(for time: Duration, at now: Duration) -> Bool {
        lastMigrationEndedAt.map { now - $0 > time } ?? true
    }
}

extension Cluster {
    package func balanceInfo() -> BalanceInfo {
        BalanceInfo(
            settings: records.balance.settings, revision: records.balance.version,
            imbalance: imbalance, lastPlan: balancer.lastPlan.map { PlanInfo($0) },
            lastPlanAtMs: balancer.lastPlanAtMs, operation: balanceUnderWay?.id)
    }

    private var balanceUnderWay: OperationRecord? {
        records.operations.firstUnderWay { $0.kind == .balance }
    }

    package mutating func updateBalance(
        applying update: UpdateBalance, in context: inout Context
    ) throws(Problem) -> BalanceInfo {
        let settings = records.balance.settings.updatedSettings(applying: update)
        if let problem = settings.problem { throw Problem(.invalid, detail: problem) }
        if settings != records.balance.settings {
            records.storeBalanceSettings(settings, in: &context)
            balancer.requestEarlyCheck()
        }
        return balanceInfo()
    }

    /// A plan for the load as it is, in every mode. Nothing is moved.
    package mutating func planBalance(at now: Moment) throws(Problem) -> PlanInfo {
        PlanInfo(try balancePlan(at: now))
    }

    private mutating func balancePlan(at now: Moment) throws(Problem) -> PlanRecord {
        if let host = unheardHost {
            throw Problem(
                .wrongState,
                detail:
                    "host \(host) has not told its load to this controller yet: try again in a few seconds"
            )
        }
        scheduling.refreshLastMoves(of: records.vms.all, at: now)
        let state = planningState()
        let plan = state.planBalance(
            rules: BalanceRules(records.balance.settings), costs: scheduling.costs)
        var described = planRecord(for: plan.moves, from: state)
        described.imbalanceBefore = plan.before
        described.imbalanceAfter = plan.after
        described.outcome = "\(plan.outcome)"
        return described
    }

    /// Makes a plan's moves now, in every mode. Without a move that is worth it, the operation is over at once.
    package mutating func runBalance(
        requestedBy who: String, in context: inout Context
    ) throws(Problem) -> OperationInfo {
        if let run = balanceUnderWay {
            throw Problem(.wrongState, detail: "balance operation \(run.id) is under way")
        }
        let plan = try balancePlan(at: context.now)
        return try beginOperation(
            for: OperationRequest(kind: .balance, plan: plan, requestedBy: who), in: &context)
    }

    /// An active host whose load is not known: it has not sent two heartbeats to this controller.
    private var unheardHost: HostName? {
        records.hosts.sortedNames.first {
            records.hosts[$0]?.state == .active && (observations[$0]?.heartbeatCount ?? 0) < 2
        }
    }

    mutating func balanceIfDue(in context: inout Context) {
        let settings = records.balance.settings
        let now = context.now
        guard settings.mode != .off, isClusterIdle(at: now.uptime),
            balancer.isPlanDue(every: .seconds(settings.intervalSeconds), at: now.uptime)
        else { return }
        let plan: PlanRecord
        do throws(Problem) { plan = try balancePlan(at: now) } catch { return }
        balancer.recordPlan(plan, at: now)
        guard settings.mode == .auto, !plan.moves.isEmpty else { return }
        let request = OperationRequest(kind: .balance, plan: plan, requestedBy: "balance")
        advanceOperation(withID: createOperation(for: request, in: &context), in: &context)
    }

    /// Nothing is migrated, nothing is about to be, and what was measured was measured since.
    private func isClusterIdle(at now: Duration) -> Bool {
        records.vms.migrationCount == 0 && unheardHost == nil
            && records.operations.firstUnderWay { _ in true } == nil
            && balancer.hasBeenIdle(for: settings.heartbeat * 2, at: now)
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
    func updatedSettings(applying update: UpdateBalance) -> BalanceSettings {
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
