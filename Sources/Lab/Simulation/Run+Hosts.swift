// Hosts sleep and wake, fail and come back.
//
// A host that sleeps or wakes is in maintenance for the scheduler: it takes no VMs and no moves by any policy. A VM that
// no other host takes is given to one that wakes, else one is woken for it, the first in host order that will admit it;
// it takes its room there at once and runs when the host is awake.

import Model
import Placement

// MARK: - Sleeping and waking

extension Run {
    mutating func sleepAndWake() {
        guard let policy = movePolicy else { return }
        for host in policy.hostsToSleep(in: cluster) where canEnterSleep(host: host) {
            startSleep(of: host)
        }
        for host in policy.hostsToWake(in: cluster, asleep: asleep) where asleep.contains(host) {
            beginWakeup(of: host)
        }
    }

    private func canEnterSleep(host: HostIndex) -> Bool {
        cluster.allHosts.contains(host) && meters.rows[host].power == .on
            && cluster.hosts[host].state == .active && cluster.hostedVMCount(on: host) == 0
            && moves.moveCount(at: host) == 0
    }

    private mutating func startSleep(of host: HostIndex) {
        counts.sleeps += 1
        setHostState(.maintenance, power: .asleep, of: host)
        asleep.insert(host, at: insertionIndex(in: asleep, for: host))
    }

    /// Where a host stands, or would stand, in a list in host order.
    private func insertionIndex(in hosts: [HostIndex], for host: HostIndex) -> Int {
        var (low, high) = (0, hosts.count)
        while low < high {
            let middle = (low + high) / 2
            if hosts[middle] < host { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func beginWakeup(of host: HostIndex) {
        counts.wakes += 1
        asleep.removeAll { $0 == host }
        setHostState(.maintenance, power: .waking, of: host)
        let awakeAt = (moment + scenario.wakeTime).nanoseconds
        waking.append((host, awakeAt))
        queue.scheduleEvent(.wakes(host: host, version: hostVersion[host]), at: awakeAt)
    }

    mutating func finishWakeup(of host: HostIndex) {
        waking.removeAll { $0.host == host }
        setHostState(.active, power: .on, of: host)
    }

    /// The host on which a VM waits, woken for it if need be; nil: none would take it.
    mutating func hostToWake(for row: VMIndex) -> HostIndex? {
        let found =
            waking.first { hasRoomAwake(forVM: row, on: $0.host) }?.host
            ?? asleep.first { hasRoomAwake(forVM: row, on: $0) }
        guard let host = found else { return nil }
        if meters.rows[host].power == .asleep { beginWakeup(of: host) }
        let awakeAt = waking.first { $0.host == host }?.awakeAt ?? now
        counts.vmsThatWaited += 1
        waitSeconds += Double(awakeAt - now) / 1e9
        return host
    }

    /// Whether a host would admit a VM if it were awake: asked by making it so for the length of the question.
    private mutating func hasRoomAwake(forVM row: VMIndex, on host: HostIndex) -> Bool {
        guard cluster.requestedResources(of: row).isContained(in: cluster.freeResources(on: host))
        else { return false }
        cluster.setHostState(.active, of: host)
        defer { cluster.setHostState(.maintenance, of: host) }
        return cluster.refusalReason(of: row, on: host, for: .start) == nil
    }

    /// A host changes its state: what was set going for it before no longer happens.
    mutating func setHostState(_ state: HostState, power: HostPower, of host: HostIndex) {
        hostVersion[host] += 1
        cluster.setHostState(state, of: host)
        meters.setHostPower(power, of: host, in: cluster, moves: moves.moveCount(at: host), at: now)
    }
}

// MARK: - Failing and coming back

extension Run {
    mutating func beginHostEvent(_ event: HostEvent) throws(SimulationError) {
        switch event {
        case .fails(let host, _, let backAfter): beginFailure(of: host, backAfter: backAfter)
        case .drained(let host, _, let maintenance): beginDrain(of: host, maintenance: maintenance)
        }
    }

    private mutating func beginFailure(of host: HostIndex, backAfter: Duration) {
        guard meters.rows[host].power != .failed else {
            idleHostEvents += 1
            return
        }
        counts.hostFailures += 1
        forgetPlans(for: host)
        while let place = moves.underWay.firstIndex(where: { $0.from == host || $0.to == host }) {
            abandonMigration(at: place)
        }
        let lost = cluster.hostedVMs(on: host).sorted { requestOfVM[$0] < requestOfVM[$1] }
        for row in lost {
            cluster.unassignVM(row)
            floor.removeRequest(cluster.requestedResources(of: row))
        }
        counts.vmsLostToFailures += lost.count
        setHostState(.unreachable, power: .failed, of: host)
        queue.scheduleEvent(
            .returns(host: host, version: hostVersion[host]), at: (moment + backAfter).nanoseconds)
        for row in lost {
            counts.askedAgain += 1
            placeOrRefuse(row: row, request: Int(requestOfVM[row]))
        }
        startMoves()
    }

    /// What was intended with a host that fails.
    private mutating func forgetPlans(for host: HostIndex) {
        asleep.removeAll { $0 == host }
        waking.removeAll { $0.host == host }
        abandonDrain(of: host)
    }

    mutating func reactivateHost(_ host: HostIndex) { setHostState(.active, power: .on, of: host) }
}
