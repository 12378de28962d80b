// A recorded history in memory: hosts, VMs and what became of them, in the order of time.
//
// Times are milliseconds since the history began. VMs and hosts are numbered in the order in which the file first
// describes them; a name that is used again after its VM is gone is another VM.

import Model
import Placement

/// A host's state from some time on.
struct HostChange: Hashable, Sendable {
    var t: Int64
    var state: HostState
    var isFenced: Bool
    /// The cluster knows it.
    var isThere: Bool

    var takesVMs: Bool { isThere && state == .active }
}

/// Where a VM is from some time on; -1: nowhere.
struct PlaceChange: Hashable, Sendable {
    var t: Int64
    var host: Int32
    var destination: Int32
    var state: RecordedPlace.State
}

/// A load from some time on.
struct TimedReading: Hashable, Sendable {
    var t: Int64
    var cores: Float
    var memoryBytes: Float
    /// Not a number: not measured, or a host's.
    var dirtyBytesPerSecond = Float.nan
}

package struct TimedMove: Hashable, Sendable {
    package var t: Int64
    package var move: RecordedMove
    /// Nil: it was gone when the move was told of.
    package var vm: Int?
}

package struct TimedGap: Hashable, Sendable {
    package var since: Int64
    package var until: Int64
    package var why: RecordedGap.Why

    package init(since: Int64, until: Int64, why: RecordedGap.Why) {
        self.since = since
        self.until = until
        self.why = why
    }
}

package struct History: Sendable {
    /// The file's name, without its folder.
    package let name: String
    package let header: HistoryHeader
    /// As last described.
    package internal(set) var hosts: [RecordedHost] = []
    var hostChanges: [[HostChange]] = []
    var hostReadings: [[TimedReading]] = []
    package internal(set) var groups: [RecordedGroup] = []
    /// As last described.
    package internal(set) var vms: [RecordedVM] = []
    var places: [[PlaceChange]] = []
    /// When a VM was deleted.
    var goneAt: [Int64?] = []
    var readings: [[TimedReading]] = []
    /// Migrations that an operation of the controller ordered, with what they took.
    package internal(set) var moves: [TimedMove] = []
    package internal(set) var gaps: [TimedGap] = []
    package internal(set) var end: Int64 = 0
    /// The recorder said that it ended; else it was killed, and `end` is its last line.
    package internal(set) var endedInOrder = false
    /// Bytes of a last line that was cut off, and is left out.
    package internal(set) var cutOffBytes = 0
    /// The times that VMs stood on hosts, by their beginning.
    package internal(set) var stays: [Stay] = []

    init(name: String, header: HistoryHeader) {
        self.name = name
        self.header = header
    }

    package var duration: Duration { .milliseconds(end) }
}

extension History {
    /// Where each VM ran at a moment, by name; one that was being moved ran where it came from.
    package func placement(at t: Int64) -> [String: String] {
        var found: [String: String] = [:]
        for stay in stays where stay.begin <= t && t < stay.end ?? .max {
            if let host = stay.hostIndex(at: t) {
                found[vms[stay.vm].name.text] = hosts[host].name.text
            }
        }
        return found
    }

    /// What to know when reading figures that are made from it, one sentence each.
    package var notes: [String] {
        var notes: [String] = []
        if cutOffBytes > 0 {
            notes.append("the last line of \(name) is cut off (\(cutOffBytes) bytes) and left out")
        }
        if !endedInOrder, cutOffBytes == 0 {
            notes.append("\(name) does not say that its recorder ended: it ends with its last line")
        }
        for gap in gaps {
            notes.append(
                "\(Self.gapDescription(for: gap.why)) from \(secondsText(milliseconds: gap.since)) s to \(secondsText(milliseconds: gap.until)) s"
            )
        }
        return notes
    }

    private static func gapDescription(for why: RecordedGap.Why) -> String {
        switch why {
        case .unreachable: "no controller answered, and no load is known,"
        case .forgotten: "the controller did not remember what changed"
        case .stopped: "nobody recorded"
        }
    }

    private func secondsText(milliseconds t: Int64) -> String { thousandthsText(for: Int(t)) }
}

extension PlacementHost {
    init(_ host: RecordedHost) {
        self.init(
            name: host.name.text,
            capacity: Resources(
                milliCPUs: host.cores * 1000, memoryBytes: Int(host.memoryBytes)))
        reservedMemoryBytes = Int(host.memoryReserveBytes)
        cpuOvercommit = host.cpuOvercommit
        memoryOvercommit = host.memoryOvercommit
        features = CPUFeatures(host.features)
        labels = Set(host.labels)
        domain = FaultDomain(zone: host.zone, rack: host.rack)
        link = host.link
        linkBytesPerSecond = host.linkBytesPerSecond
    }
}

extension AffinityGroup {
    init(_ group: RecordedGroup) {
        let kind: Kind =
            switch group.rule {
            case .affinity: .together
            case .antiAffinity: .apart(perDomainMax: group.perDomainMax)
            }
        let scope: Scope =
            switch group.scope {
            case .host: .host
            case .rack: .rack
            case .zone: .zone
            }
        self.init(
            name: group.name, kind: kind, scope: scope,
            strength: group.softWeight.map { .soft(weight: $0) } ?? .hard)
    }
}
