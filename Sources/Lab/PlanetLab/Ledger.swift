// What hosts and VMs got and asked for over the day, and what becomes of it: the experiment's service figures.
//
// Each accounting writes an entry a host and an entry a VM. An entry holds until the next one at a later moment; a
// second one at the same moment takes its place.

/// One host's or VM's entries, added up as they end.
private struct Entry {
    /// Below 0: there was none yet.
    var time = -1.0
    /// MIPS
    var given = 0.0
    /// MIPS
    var asked = 0.0
    /// A host: active. A VM: leaving its host.
    var isMarked = false
}

struct HostLedger {
    private struct Row {
        var entry = Entry()
        var wasActive = true
        var switchedOn = 0.0
    }

    private var rows: [Row]
    private var activeSeconds = 0.0
    private var shortSeconds = 0.0
    /// By host, in the order of time: how long it had been on when it was shut down.
    private var secondsOn: [[Double]]

    init(hosts: Int) {
        rows = Array(repeating: Row(), count: hosts)
        secondsOn = Array(repeating: [], count: hosts)
    }

    mutating func recordEntry(
        host: Int, at time: Double, given: Double, asked: Double, isActive: Bool
    ) {
        let entry = rows[host].entry
        if entry.time >= 0, entry.time != time {
            if entry.isMarked {
                activeSeconds += time - entry.time
                if entry.given < entry.asked { shortSeconds += time - entry.time }
            }
            recordSwitch(ofHost: host)
        }
        rows[host].entry = Entry(time: time, given: given, asked: asked, isMarked: isActive)
    }

    /// A host that has never been active counts as shut down at its first entry.
    private mutating func recordSwitch(ofHost host: Int) {
        let row = rows[host]
        if row.wasActive, !row.entry.isMarked {
            secondsOn[host].append(row.entry.time - row.switchedOn)
        } else if !row.wasActive, row.entry.isMarked {
            rows[host].switchedOn = row.entry.time
        }
        rows[host].wasActive = row.entry.isMarked
    }

    mutating func finishRecords() {
        for host in rows.indices where rows[host].entry.time >= 0 { recordSwitch(ofHost: host) }
    }

    /// Share of their active time in which hosts gave less than was asked for.
    var violationTime: Double { activeSeconds > 0 ? shortSeconds / activeSeconds : 0 }
    var secondsBeforeShutdown: [Double] { secondsOn.flatMap { $0 } }
}

struct VMLedger {
    private struct Row {
        var entry = Entry()
        var wasLeaving = false
        var beganToLeave = 0.0
        var given = 0.0
        var asked = 0.0
        var missedByMigration = 0.0
        var missedShares = 0.0
        var missedIntervals = 0
    }

    private var rows: [Row]
    /// By VM, in the order of time.
    private var secondsLeaving: [[Double]]

    init(vms: Int) {
        rows = Array(repeating: Row(), count: vms)
        secondsLeaving = Array(repeating: [], count: vms)
    }

    mutating func recordEntry(
        vm: Int, at time: Double, given: Double, asked: Double, isLeaving: Bool
    ) {
        if rows[vm].entry.time >= 0, rows[vm].entry.time != time {
            closeInterval(ofVM: vm, at: time)
        }
        rows[vm].entry = Entry(time: time, given: given, asked: asked, isMarked: isLeaving)
    }

    private mutating func closeInterval(ofVM vm: Int, at time: Double) {
        recordMigration(ofVM: vm)
        let entry = rows[vm].entry
        let seconds = time - entry.time
        rows[vm].given += entry.given * seconds
        rows[vm].asked += entry.asked * seconds
        guard entry.given < entry.asked else { return }
        rows[vm].missedShares += (entry.asked - entry.given) / entry.asked
        rows[vm].missedIntervals += 1
        if entry.isMarked {
            rows[vm].missedByMigration += (entry.asked - entry.given) * seconds
        }
    }

    private mutating func recordMigration(ofVM vm: Int) {
        let row = rows[vm]
        if row.wasLeaving, !row.entry.isMarked {
            secondsLeaving[vm].append(row.entry.time - row.beganToLeave)
        } else if !row.wasLeaving, row.entry.isMarked {
            rows[vm].beganToLeave = row.entry.time
        }
        rows[vm].wasLeaving = row.entry.isMarked
    }

    /// A pause: nothing was given for so long, though the entries say otherwise.
    mutating func recordPause(ofVM vm: Int, seconds: Double, asked: Double) {
        rows[vm].given -= asked * seconds
        rows[vm].missedByMigration += asked * seconds
    }

    mutating func finishRecords() {
        for vm in rows.indices where rows[vm].entry.time >= 0 { recordMigration(ofVM: vm) }
    }

    private var asked: Double { rows.reduce(0) { $0 + $1.asked } }

    var degradationByMigration: Double {
        asked > 0 ? rows.reduce(0) { $0 + $1.missedByMigration } / asked : 0
    }
    var overallViolation: Double {
        asked > 0 ? (asked - rows.reduce(0) { $0 + $1.given }) / asked : 0
    }
    var averageViolation: Double {
        let intervals = rows.reduce(0) { $0 + $1.missedIntervals }
        return intervals > 0 ? rows.reduce(0) { $0 + $1.missedShares } / Double(intervals) : 0
    }
    var secondsBeforeMigration: [Double] { secondsLeaving.flatMap { $0 } }
}

extension MeanAndSpread {
    /// Nil for no values. The spread is computed in one pass that starts from the mean, as the released code does it: for
    /// few values it is not quite the standard deviation.
    init?(_ values: [Double]) {
        guard !values.isEmpty else { return nil }
        let mean = values.reduce(0, +) / Double(values.count)
        var (running, squares) = (mean, 0.0)
        for (index, value) in values.enumerated() {
            let distance = value - running
            running += distance / Double(index + 1)
            squares += distance * (value - running)
        }
        self.mean = mean
        standardDeviation =
            values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : nil
    }
}
