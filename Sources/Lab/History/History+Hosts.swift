// What befell hosts, as a replay under another policy must meet it too: drains and failures.

import Model
package import Simulation

extension History {
    func latestChange(ofHost host: Int, at t: Int64) -> HostChange? {
        hostChanges[host].latestElement(upTo: t)
    }

    func isHostSilent(number host: Int, at t: Int64) -> Bool {
        guard let change = latestChange(ofHost: host, at: t) else { return false }
        return change.state == .unreachable || change.isFenced
    }

    /// Times in which a host took no VMs.
    struct Absence: Hashable {
        enum Why: Hashable {
            /// Drained, in maintenance, or not in the cluster.
            case away
            /// Silent and fenced: its VMs were lost.
            case failed
            /// Silent, and its VMs stayed its own.
            case silent
        }

        var why: Why
        var begin: Int64
        /// Since when it was empty, as far as it became so.
        var emptied: Int64?
        /// Nil: till the history ended.
        var end: Int64?
    }

    func absencePeriods(ofHost host: Int) -> [Absence] {
        var found: [Absence] = []
        var open: Absence?
        if let first = hostChanges[host].first, first.t > 0 {
            found.append(Absence(why: .away, begin: 0, emptied: 0, end: first.t))
        }
        for change in hostChanges[host] {
            if change.takesVMs {
                if var absence = open {
                    absence.end = change.t
                    found.append(absence)
                }
                open = nil
                continue
            }
            let isSilent = change.isThere && (change.state == .unreachable || change.isFenced)
            var absence =
                open ?? Absence(why: isSilent ? .silent : .away, begin: change.t)
            if change.isFenced { absence.why = .failed }
            if absence.emptied == nil, !change.isThere || change.state == .maintenance {
                absence.emptied = change.t
            }
            open = absence
        }
        if let open { found.append(open) }
        return found
    }

    /// Drains and failures as a run repeats them. A host that was silent and kept its VMs is left out: nothing had to
    /// be done about it.
    package var hostEvents: [HostEvent] {
        var events: [HostEvent] = []
        for host in hosts.indices {
            for absence in absencePeriods(ofHost: host) {
                let begin = SimTime(milliseconds: absence.begin)
                let end = absence.end ?? self.end
                switch absence.why {
                case .silent: continue
                case .failed:
                    events.append(
                        .fails(host, at: begin, backAfter: .milliseconds(end - absence.begin)))
                case .away:
                    let maintenance = end - (absence.emptied ?? end)
                    events.append(
                        .drained(host, at: begin, maintenance: .milliseconds(maintenance)))
                }
            }
        }
        return events.sorted { $0.time < $1.time }
    }
}

extension SimTime {
    init(milliseconds: Int64) { self.init(nanoseconds: milliseconds * 1_000_000) }
}
