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
        queue.addEvent(.round, at: next.nanoseconds)
    }

    /// As the controller does it, a round is passed over while moves of the last one are under way or wait: a plan needs
    /// loads that were measured where VMs are.
    mutating func holdRound() {
        defer { queueRound() }
        if movePolicy?.waitsForMoves ?? true, moves.jobs.contains(where: { $0.purpose == .round }) {
            return
        }
        cluster.age(by: .nanoseconds(now - agedAt))
        agedAt = now
        let moment = moment
        guard let plan = movePolicy?.planMoves(in: cluster, at: moment) else { return }
        beginPlan(plan, for: .round)
        sleepAndWake()
    }

    mutating func beginPlan(_ plan: MovePlan, for purpose: MoveJob.Purpose) {
        let waiting = plan.moves.compactMap { move -> WaitingMove? in
            guard requestOfVM.indices.contains(move.vm), requestOfVM[move.vm] >= 0,
                cluster.allHosts.contains(move.to)
            else { return nil }
            return WaitingMove(
                vm: move.vm, request: requestOfVM[move.vm], from: move.from, to: move.to,
                wave: move.wave)
        }
        counts.migrationsDropped += plan.moves.count - waiting.count
        moves.addJob(purpose, waiting: waiting)
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
                if case .drain(let hosts) = job.purpose { endPlan(ofDrains: hosts) }
            } else {
                place += 1
            }
        }
        shareLinks()
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
                if !startMoves(together, ofJob: place) { left += together }
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
        guard isStillValid(move) else { return [move] }
        let bundle = cluster.bundle(of: move.vm)
        if bundle.count == 1 { return [move] }
        return wave.filter { $0.to == move.to && bundle.contains($0.vm) && isStillValid($0) }
    }

    /// Whether the VM is still where the plan has it.
    private func isStillValid(_ move: WaitingMove) -> Bool {
        requestOfVM[move.vm] == move.request && cluster.host(of: move.vm) == move.from
            && cluster.target(of: move.vm) == nil && move.from != move.to
            && meters.rows[move.from].power == .on
    }

    /// Begins all these moves, or drops them all when their VMs have gone or there is no room.
    ///
    /// - Returns: false when they have to wait for others to end.
    private mutating func startMoves(_ together: [WaitingMove], ofJob place: Int) -> Bool {
        let vms = together.map(\.vm)
        guard together.allSatisfy({ isStillValid($0) }) else {
            counts.migrationsDropped += together.count
            return true
        }
        guard moves.admits(together) else { return false }
        for (begun, move) in together.enumerated() {
            guard cluster.refusal(of: move.vm, on: move.to, for: .migration, with: vms) == nil
            else {
                for vm in vms[..<begun] { cluster.abandonMove(vm) }
                counts.migrationsDropped += together.count
                return true
            }
            cluster.beginMove(move.vm, to: move.to)
        }
        for move in together {
            moves.beginMove(move, forJob: moves.jobs[place].number, at: now)
            moves.jobs[place].underWay += 1
            noteChange(of: move.from)
            noteChange(of: move.to)
        }
        return true
    }

    private mutating func shareLinks() {
        var ends: [(move: Int, version: Int, end: Int64)] = []
        moves.shareLinks(cluster, costs: scenario.costs, at: now) { ends.append(($0, $1, $2)) }
        for end in ends {
            queue.addEvent(.moveEnds(move: end.move, version: end.version), at: end.end)
        }
    }
}

// MARK: - Ending

extension Run {
    mutating func endMove(number: Int, version: Int) {
        guard let place = moves.underWay.firstIndex(where: { $0.number == number }),
            moves.underWay[place].version == version
        else { return }
        var move = moves.endMove(at: place)
        move.addProgress(until: now)
        cluster.finishMove(move.vm)
        // Its age is brought up to date at the next round, from the last one on.
        cluster.setLastMove(
            LastMove(from: cluster.hosts[move.from].name, age: .nanoseconds(agedAt - now)),
            of: move.vm)
        countMove(move)
        noteChange(of: move.from)
        noteChange(of: move.to)
        endDrainIfEmpty(move.from)
        startMoves()
    }

    private mutating func countMove(_ move: MoveUnderWay) {
        counts.migrations += 1
        counts.migrationBytes += move.bytes
        counts.migrationSeconds += Double(now - move.began) / 1e9
        if !move.keepsDowntimeLimit { counts.downtimeLimitExceeded += 1 }
        downtimes.add(value: move.downtime * 1000)
        downtimeOfVM[move.vm] += Float(move.downtime * 1000)
        meters.noteStandstill(
            cores: coresInUse(by: move.vm), seconds: move.downtime)
    }

    /// What a VM asks for now.
    private func coresInUse(by row: VMIndex) -> Double {
        utilisation(of: Int(requestOfVM[row]), at: now)?.cores
            ?? Double(cluster.request(of: row).milliCPUs) / 1000 * scenario.assumedBusyShare
    }

    /// A move ends without success: the VM is where it was.
    mutating func abandonMove(at place: Int) {
        var move = moves.endMove(at: place)
        move.addProgress(until: now)
        cluster.abandonMove(move.vm)
        counts.migrationsAbandoned += 1
        counts.migrationBytes += move.bytes
        counts.migrationSeconds += Double(now - move.began) / 1e9
        noteChange(of: move.from)
        noteChange(of: move.to)
    }
}
