// Reads a recorded history whole: every line is checked by itself and against the lines above it.

import Host
import Model
import Placement
package import Traces

package enum HistoryReader {
    package static func read(_ path: String) throws(TraceError) -> History {
        var lines = try HistoryLines(path)
        guard let first = try lines.next(), case .begin(let header) = first.line else {
            throw .malformed(TracePlace(path, line: 1), expected: "a header", found: "")
        }
        let name = path.split(separator: "/").last.map { String($0) } ?? path
        var builder = HistoryBuilder(History(name: name, header: header))
        while let entry = try lines.next() {
            try builder.take(entry, at: TracePlace(path, line: lines.line))
        }
        return try builder.finish(path, cutOffBytes: lines.cutOffBytes)
    }
}

private struct HistoryBuilder {
    private var history: History
    private var hostIndices: [HostName: Int] = [:]
    private var groupIndices: [String: Int] = [:]
    /// Of VMs that are there.
    private var vmIndices: [VMName: Int] = [:]
    private var changes = 0
    private var readings = 0

    init(_ history: History) { self.history = history }

    mutating func take(_ entry: HistoryEntry, at place: TracePlace) throws(TraceError) {
        history.end = entry.t
        history.endedInOrder = false
        if case .load(let load) = entry.line { return try take(load, entry.t, place) }
        changes += 1
        try bound(changes, Limits.changesMax, "changes", place)
        switch entry.line {
        case .begin, .load: break
        case .host(let host): try take(host, entry.t, place)
        case .group(let group): try take(group, place)
        case .vm(let vm): try take(vm, place)
        case .place(let change): try take(change, entry.t, place)
        case .move(let move): try take(move, entry.t, place)
        case .gone(let end): try take(end, entry.t, place)
        case .gap(let gap):
            history.gaps.append(TimedGap(since: gap.since, until: entry.t, why: gap.why))
        case .end: history.endedInOrder = true
        }
    }

    private mutating func take(
        _ host: RecordedHost, _ t: Int64, _ place: TracePlace
    ) throws(TraceError) {
        let change = HostChange(t: t, state: host.state, isFenced: host.isFenced, isThere: true)
        if let index = hostIndices[host.name] {
            history.hosts[index] = host
            history.hostChanges[index].append(change)
            return
        }
        try bound(history.hosts.count + 1, Limits.hostsMax, "hosts", place)
        hostIndices[host.name] = history.hosts.count
        history.hosts.append(host)
        history.hostChanges.append([change])
        history.hostReadings.append([])
    }

    private mutating func take(_ group: RecordedGroup, _ place: TracePlace) throws(TraceError) {
        if let index = groupIndices[group.name] { return history.groups[index] = group }
        try bound(history.groups.count + 1, Limits.groupsMax, "groups", place)
        groupIndices[group.name] = history.groups.count
        history.groups.append(group)
    }

    private mutating func take(_ vm: RecordedVM, _ place: TracePlace) throws(TraceError) {
        if let group = vm.groups.first(where: { groupIndices[$0] == nil }) {
            throw .malformed(
                place.field("groups"), expected: "groups that a line above describes",
                found: cut(group))
        }
        if let index = vmIndices[vm.name] {
            guard history.vms[index].id == vm.id else {
                throw .malformed(
                    place.field("id"),
                    expected: "\(history.vms[index].id), as above, until the VM is gone",
                    found: "\(vm.id)")
            }
            return history.vms[index] = vm
        }
        try bound(history.vms.count + 1, Limits.vmsMax, "VMs", place)
        vmIndices[vm.name] = history.vms.count
        history.vms.append(vm)
        history.places.append([])
        history.readings.append([])
        history.goneAt.append(nil)
    }

    private mutating func take(
        _ change: RecordedPlace, _ t: Int64, _ place: TracePlace
    ) throws(TraceError) {
        let vm = try vm(change.vm, "vm", place)
        let host = try host(change.host, "host", place)
        let destination = try self.host(change.destination, "destination", place)
        history.places[vm].append(
            PlaceChange(t: t, host: host, destination: destination, state: change.state))
    }

    private mutating func take(
        _ load: RecordedLoad, _ t: Int64, _ place: TracePlace
    ) throws(TraceError) {
        readings += load.vms.count + load.hosts.count
        try bound(readings, Limits.readingsMax, "readings of load", place)
        for (name, reading) in load.vms {
            history.readings[try vm(name, "vms", place)].append(
                TimedReading(
                    t: t, cores: Float(reading.cores), memoryBytes: Float(reading.memoryBytes),
                    dirtyBytesPerSecond: reading.dirtyBytesPerSecond.map { Float($0) } ?? .nan))
        }
        for (name, reading) in load.hosts {
            history.hostReadings[Int(try host(name, "hosts", place))].append(
                TimedReading(
                    t: t, cores: Float(reading.cores), memoryBytes: Float(reading.memoryBytes)))
        }
    }

    private mutating func take(
        _ move: RecordedMove, _ t: Int64, _ place: TracePlace
    ) throws(TraceError) {
        _ = try host(move.from, "from", place)
        _ = try host(move.to, "to", place)
        history.moves.append(TimedMove(t: t, move: move, vm: vmIndices[move.vm]))
    }

    private mutating func take(
        _ end: RecordedEnd, _ t: Int64, _ place: TracePlace
    ) throws(TraceError) {
        switch end.what {
        case .vm:
            guard let name = try? VMName(end.name) else {
                throw unknown(end.name, "name", place)
            }
            history.goneAt[try vm(name, "name", place)] = t
            vmIndices[name] = nil
        case .host:
            guard let name = try? HostName(end.name), let index = hostIndices[name] else {
                throw unknown(end.name, "name", place)
            }
            history.hostChanges[index].append(
                HostChange(t: t, state: .maintenance, isFenced: false, isThere: false))
        }
    }

    private func vm(_ name: VMName, _ field: String, _ place: TracePlace) throws(TraceError) -> Int
    {
        guard let index = vmIndices[name] else { throw unknown(name.text, field, place) }
        return index
    }

    /// -1 for no host.
    private func host(
        _ name: HostName?, _ field: String, _ place: TracePlace
    ) throws(TraceError) -> Int32 {
        guard let name else { return -1 }
        guard let index = hostIndices[name] else { throw unknown(name.text, field, place) }
        return Int32(index)
    }

    private func unknown(_ name: String, _ field: String, _ place: TracePlace) -> TraceError {
        .malformed(
            place.field(field), expected: "the name of something that a line above describes",
            found: cut(name))
    }

    private func bound(
        _ count: Int, _ limit: Int, _ what: String, _ place: TracePlace
    ) throws(TraceError) {
        guard count <= limit else { throw .tooLarge(file: place.file, limit: limit, of: what) }
    }

    consuming func finish(_ path: String, cutOffBytes: Int) throws(TraceError) -> History {
        history.cutOffBytes = cutOffBytes
        guard !history.hosts.isEmpty else {
            throw .malformed(TracePlace(path), expected: "at least one host", found: "")
        }
        for vm in history.vms.indices {
            var reader = StayReader(vm)
            for change in history.places[vm] {
                reader.take(change) { history.isSilent(Int($0), at: change.t) }
            }
            reader.finish(gone: history.goneAt[vm])
            history.stays += reader.stays
        }
        // Stable: equal beginnings stay in the order of VMs.
        history.stays = history.stays.enumerated()
            .sorted { ($0.element.begin, $0.offset) < ($1.element.begin, $1.offset) }
            .map(\.element)
        return history
    }
}

extension TracePlace {
    fileprivate func field(_ name: String) -> TracePlace {
        TracePlace(file, line: line, field: name)
    }
}
