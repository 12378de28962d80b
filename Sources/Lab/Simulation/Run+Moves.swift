// Rounds of the move policy, and the moves of its plans and of drains.

import Model
import Placement

// MARK: - Rounds

extension Run {
    mutating func queueRound() {
        guard rounds < Limits.ticksMax, let next = movePolicy?.nextRound(after: moment),
            next.nanoseconds > now
        else { return }
        rounds += 1
        queue.scheduleEvent(.round, at: next.nanoseconds)
    }

    /// As the controller does it, a round is passed over while moves of the last one are under way or wait: a plan needs
    /// loads that were measured where VMs are.
    mutating func holdRound() {
        defer { queueRound() }
        if movePolicy?.waitsForMoves ?? true, moves.jobs.contains(where: { $0.purpose == .round }) {
            return
        }
        cluster.ageLastMoves(by: .nanoseconds(now - agedAt))
        agedAt = now
        let moment = moment
        guard let plan = movePolicy?.planMoves(in: cluster, at: moment) else { return }
        executePlan(plan, for: .round)
        sleepAndWake()
    }

    mutating func executePlan(_ plan: MovePlan, for purpose: MoveJob.Purpose) {
        let waiting = plan.moves.compactMap { move -> WaitingMove? in
            guard requestOfVM.indices.contains(move.vm), requestOfVM[move.vm] >= 0,
                cluster.allHosts.contains(move.to)
            else { return nil }
            return WaitingMove(
                vm: move.vm, request: requestOfVM[move.vm], from: move.from, to: move.to,
                wave: move.wave)
        }
        counts.migrationsDropped += plan.moves.count - waiting.count
        moves.enqueueJob(for: purpose, waiting: waiting)
        startMoves()
    }
}

// MARK: - Beginning

extension Run {
    /// Begins what can begin, plan by plan, and sees to plans that are over.
    mutating func startMoves() {
        var place = 0
        while place < moves.jobs.count {
            startWave(ofJob: place)
            if moves.jobs[place].isOver {
                let job = moves.jobs.remove(at: place)
                if case .drain(let hosts) = job.purpose { endDrainPlan(of: hosts) }
            } else {
                place += 1
            }
        }
        updateLinkShares()
    }

    private mutating func startWave(ofJob place: Int) {
        while true {
            let job = moves.jobs[place]
            let wave = job.waiting.prefix { $0.wave == job.wave }
            var left: [WaitingMove] = []
            var bound: Set<VMIndex> = []
            for move in wave where !bound.contains(move.vm) {
                let together = companions(of: move, in: wave)
                if together.count > 1 { bound.formUnion(together.map(\.vm)) }
                if !startTogether(together, ofJob: place) { left += together }
            }
            moves.jobs[place].waiting.replaceSubrange(0..<wave.count, with: left)
            guard left.isEmpty, moves.jobs[place].underWay == 0,
                let next = moves.jobs[place].waiting.first
            else { return }
            moves.jobs[place].wave = next.wave
        }
    }

    /// The moves of a wave that have to begin at once: of VMs that groups keep on one host.
    private func companions(
        of move: WaitingMove, in wave: ArraySlice<WaitingMove>
    ) -> [WaitingMove] {
        guard isStillValid(move: move) else { return [move] }
        let bundle = cluster.affinityBundle(of: move.vm)
        if bundle.count == 1 { return [move] }
        return wave.filter { $0.to == move.to && bundle.contains($0.vm) && isStillValid(move: $0) }
    }

    /// Whether the VM is still where the plan has it.
    private func isStillValid(move: WaitingMove) -> Bool {
        requestOfVM[move.vm] == move.request && cluster.currentHost(of: move.vm) == move.from
            && cluster.migrationTarget(of: move.vm) == nil && move.from != move.to
            && meters.rows[move.from].power == .on
    }

    /// Begins all these moves, or drops them all when their VMs have gone or there is no room.
    ///
    /// - Returns: false when they have to wait for others to end.
    private mutating func startTogether(_ together: [WaitingMove], ofJob place: Int) -> Bool {
        let vms = together.map(\.vm)
        guard together.allSatisfy({ isStillValid(move: $0) }) else {
            counts.migrationsDropped += together.count
            return true
        }
        guard moves.canBeginTogether(together) else { return false }
        for (begun, move) in together.enumerated() {
            guard cluster.refusalReason(of: move.vm, on: move.to, for: .migration, with: vms) == nil
            else {
                for vm in vms[..<begun] { cluster.abandonMigration(of: vm) }
                counts.migrationsDropped += together.count
                return true
            }
            cluster.beginMigration(of: move.vm, to: move.to)
        }
        for move in together {
            moves.beginMigration(of: move, forJob: moves.jobs[place].number, at: now)
            moves.jobs[place].underWay += 1
            refreshMeter(of: move.from)
            refreshMeter(of: move.to)
        }
        return true
    }

    private mutating func updateLinkShares() {
        var ends: [(move: Int, version: Int, end: Int64)] = []
        moves.updateLinkShares(in: cluster, costs: scenario.costs, at: now) {
            ends.append(($0, $1, $2))
        }
        for end in ends {
            queue.scheduleEvent(.moveEnds(move: end.move, version: end.version), at: end.end)
        }
    }
}

// MARK: - Ending

extension Run {
    mutating func finishMigration(number: Int, version: Int) {
        guard let place = moves.underWay.firstIndex(where: { $0.number == number }),
            moves.underWay[place].version == version
        else { return }
        var move = moves.endMigration(at: place)
        move.addProgress(until: now)
        cluster.finishMigration(of: move.vm)
        // Its age is brought up to date at the next round, from the last one on.
        cluster.setLastMove(
            LastMove(from: cluster.hosts[move.from].name, age: .nanoseconds(agedAt - now)),
            of: move.vm)
        countMigration(move)
        refreshMeter(of: move.from)
        refreshMeter(of: move.to)
        endDrainIfEmpty(host: move.from)
        startMoves()
    }

    private mutating func countMigration(_ move: ActiveMigration) {
        counts.migrations += 1
        counts.migrationBytes += move.bytes
        counts.migrationSeconds += Double(now - move.began) / 1e9
        if !move.keepsDowntimeLimit { counts.downtimeLimitExceeded += 1 }
        downtimes.addObservation(value: move.downtime * 1000)
        downtimeOfVM[move.vm] += Float(move.downtime * 1000)
        meters.recordStandstill(
            cores: coresInUse(by: move.vm), seconds: move.downtime)
    }

    /// What a VM asks for now.
    private func coresInUse(by row: VMIndex) -> Double {
        measuredUse(ofRequest: Int(requestOfVM[row]), at: now)?.cores
            ?? Double(cluster.requestedResources(of: row).milliCPUs) / 1000
            * scenario.assumedBusyShare
    }

    /// A move ends without success: the VM is where it was.
    mutating func abandonMigration(at place: Int) {
        var move = moves.endMigration(at: place)
        move.addProgress(until: now)
        cluster.abandonMigration(of: move.vm)
        counts.migrationsAbandoned += 1
        counts.migrationBytes += move.bytes
        counts.migrationSeconds += Double(now - move.began) / 1e9
        refreshMeter(of: move.from)
        refreshMeter(of: move.to)
    }
}
