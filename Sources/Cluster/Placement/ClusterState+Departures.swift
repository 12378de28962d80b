// When VMs are expected to end, and so when a host is expected to be empty.
//
// Whoever knows something tells it (`DepartureForecast` learns it from VMs that have ended) in whole seconds on a clock
// of its own, which starts at 0 and only goes forward. A VM of which nothing is said is expected to stay.

extension ClusterState {
    /// The departure of a VM that stays.
    package static let never = Int.max

    /// The clock goes on. An earlier time than before is ignored.
    package mutating func advanceClock(to seconds: Int) {
        guard seconds > now else { return }
        now = seconds
        index.advanceClock(to: seconds, rows: hostRows)
    }

    /// What is expected of a VM from now on; `never`: it stays.
    package mutating func setExpectedDeparture(at seconds: Int, of vm: VMIndex) {
        let before = vmRows[vm].departure
        let departure = max(0, seconds)
        guard departure != before else { return }
        expectsDepartures = true
        vmRows[vm].departure = departure
        guard vmRows[vm].host >= 0 else { return }
        let host = Int(vmRows[vm].host)
        if departure > hostRows[host].exit {
            hostRows[host].exit = departure
        } else if before == hostRows[host].exit {
            hostRows[host].exit = latestDeparture(on: host)
        } else {
            return
        }
        refreshIndex(of: host)
    }

    package func expectedDeparture(of vm: VMIndex) -> Int { vmRows[vm].departure }

    /// When the last VM of a host is expected to end: now for a host without VMs, or one whose VMs should have ended.
    package func expectedExit(of host: HostIndex) -> Int { max(hostRows[host].exit, now) }

    /// A VM that was expected to depart then has left a host.
    mutating func recordDeparture(at departure: Int, from host: HostIndex) {
        if hostRows[host].vmCount == 0 {
            hostRows[host].exit = .min
        } else if expectsDepartures, departure == hostRows[host].exit {
            hostRows[host].exit = latestDeparture(on: host)
        }
    }

    private func latestDeparture(on host: HostIndex) -> Int {
        var latest = Int.min
        var vm = hostRows[host].firstVM
        while vm >= 0, latest < Self.never {
            latest = max(latest, vmRows[Int(vm)].departure)
            vm = vmRows[Int(vm)].next
        }
        return latest
    }
}
