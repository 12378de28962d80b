// Hosts are drained: emptied by the controller's own plan, then away, then back at work.
//
// Hosts whose drains begin at one moment get one plan, so that none sends its VMs to another. A host's drain is complete
// when it is empty, whatever the plan still does. VMs that stay are planned for again after a pause, a few times; then the
// host goes back to work and its drain is incomplete.

import Model
import Placement

/// A host that is being emptied.
struct Drain {
    let host: HostIndex
    let began: Int64
    let maintenance: Duration
    var plans = 0
    var needsPlan = true
}

extension Run {
    mutating func beginDrain(of host: HostIndex, maintenance: Duration) {
        let isAsleep = meters.rows[host].power == .asleep
        guard isAsleep || cluster.hosts[host].state == .active else {
            idleHostEvents += 1
            return
        }
        counts.drains += 1
        asleep.removeAll { $0 == host }
        setHostState(.draining, power: .on, of: host)
        drains.append(Drain(host: host, began: now, maintenance: maintenance))
        queue.scheduleEvent(.drainPlan, at: now)
    }

    mutating func planDrains() {
        var hosts: [HostIndex] = []
        for place in drains.indices where drains[place].needsPlan {
            drains[place].needsPlan = false
            drains[place].plans += 1
            hosts.append(drains[place].host)
        }
        for host in hosts { endDrainIfEmpty(host: host) }
        hosts.removeAll { host in !drains.contains { $0.host == host } }
        guard !hosts.isEmpty else { return }
        let plan = cluster.planDrain(of: hosts, limits: scenario.limits, costs: scenario.costs)
        executePlan(plan, for: .drain(hosts))
    }

    /// To be called when a VM has left a host.
    mutating func endDrainIfEmpty(host: HostIndex) {
        guard let place = drains.firstIndex(where: { $0.host == host }),
            cluster.hostedVMCount(on: host) == 0, moves.moveCount(at: host) == 0
        else { return }
        let drain = drains.remove(at: place)
        drainSeconds += Double(now - drain.began) / 1e9
        setHostState(.maintenance, power: .on, of: host)
        queue.scheduleEvent(
            .returns(host: host, version: hostVersion[host]),
            at: (moment + drain.maintenance).nanoseconds)
    }

    /// The plan's moves are done or dropped: hosts with VMs left get another plan later, or work on.
    mutating func endDrainPlan(of hosts: [HostIndex]) {
        for host in hosts {
            guard let place = drains.firstIndex(where: { $0.host == host }),
                !drains[place].needsPlan
            else { continue }
            if drains[place].plans < Limits.drainPlansMax {
                drains[place].needsPlan = true
                queue.scheduleEvent(.drainPlan, at: (moment + Limits.drainPause).nanoseconds)
            } else {
                abandonDrain(of: host)
                setHostState(.active, power: .on, of: host)
            }
        }
    }

    mutating func abandonDrain(of host: HostIndex) {
        guard let place = drains.firstIndex(where: { $0.host == host }) else { return }
        drains.remove(at: place)
        counts.drainsIncomplete += 1
    }
}
