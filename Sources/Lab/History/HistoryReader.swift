// Reads a recorded history whole: every line is checked by itself and against the lines above it.

import Host
import Model
import Placement
package import Traces

package enum HistoryReader {
    package static func readHistory(path: String) throws(TraceError) -> History {
        var lines = try HistoryLines(path)
        guard let first = try lines.readNextEntry(), case .begin(let header) = first.line else {
            throw .malformed(TracePlace(path, line: 1), expected: "a header", found: "")
        }
        let name = path.split(separator: "/").last.map { String($0) } ?? path
        var builder = HistoryBuilder(History(name: name, header: header))
        while let entry = try lines.readNextEntry() {
            try builder.applyEntry(entry, at: TracePlace(path, line: lines.line))
        }
        return try builder.finishHistory(path: path, cutOffBytes: lines.cutOffBytes)
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

    mutating func applyEntry(_ entry: HistoryEntry, at place: TracePlace) throws(TraceError) {
        history.end = entry.t
        history.endedInOrder = false
        if case .load(let load) = entry.line {
            return try applyLoadLine(load, time: entry.t, place: place)
        }
        changes += 1
        try checkBound(count: changes, max: Limits.changesMax, meaning: "changes", place: place)
        switch entry.line {
        case .begin, .load: break
        case .host(let host): try applyHostLine(host, time: entry.t, place: place)
        case .group(let group): try applyGroupLine(group, place: place)
        case .vm(let vm): try applyVMLine(vm, place: place)
        case .place(let change): try applyPlaceLine(change, time: entry.t, place: place)
        case .move(let move): try applyMoveLine(move, time: entry.t, place: place)
        case .gone(let end): try applyEndLine(end, time: entry.t, place: place)
        case .gap(let gap):
            history.gaps.append(TimedGap(since: gap.since, until: entry.t, why: gap.why))
        case .end: history.endedInOrder = true
        }
    }

    private mutating func applyHostLine(
        _ host: RecordedHost, time t: Int64, place: TracePlace
    ) throws(TraceError) {
        let change = HostChange(t: t, state: host.state, isFenced: host.isFenced, isThere: true)
        if let index = hostIndices[host.name] {
            history.hosts[index] = host
            history.hostChanges[index].append(change)
            return
        }
        try checkBound(
            count: history.hosts.count + 1, max: Limits.hostsMax, meaning: "hosts", place: place)
        hostIndices[host.name] = history.hosts.count
        history.hosts.append(host)
        history.hostChanges.append([change])
        history.hostReadings.append([])
    }

    private mutating func applyGroupLine(_ group: RecordedGroup, place: TracePlace)
        throws(TraceError)
    {
        if let index = groupIndices[group.name] { return history.groups[index] = group }
        try checkBound(
            count: history.groups.count + 1, max: Limits.groupsMax, meaning: "groups", place: place)
        groupIndices[group.name] = history.groups.count
        history.groups.append(group)
    }

    private mutating func applyVMLine(_ vm: RecordedVM, place: TracePlace) throws(TraceError) {
        if let group = vm.groups.first(where: { groupIndices[$0] == nil }) {
            throw .malformed(
                place.withField(named: "groups"), expected: "groups that a line above describes",
                found: shortenedText(from: group))
        }
        if let index = vmIndices[vm.name] {
            guard history.vms[index].id == vm.id else {
                throw .malformed(
                    place.withField(named: "id"),
                    expected: "\(history.vms[index].id), as above, until the VM is gone",
                    found: "\(vm.id)")
            }
            return history.vms[index] = vm
        }
        try checkBound(
            count: history.vms.count + 1, max: Limits.vmsMax, meaning: "VMs", place: place)
        vmIndices[vm.name] = history.vms.count
        history.vms.append(vm)
        history.places.append([])
        history.readings.append([])
        history.goneAt.append(nil)
    }

    private mutating func applyPlaceLine(
        _ change: RecordedPlace, time t: Int64, place: TracePlace
    ) throws(TraceError) {
        let vm = try indexOfVM(named: change.vm, field: "vm", place: place)
        let host = try indexOfHost(named: change.host, field: "host", place: place)
        let destination = try self.indexOfHost(
            named: change.destination, field: "destination", place: place)
        history.places[vm].append(
            PlaceChange(t: t, host: host, destination: destination, state: change.state))
    }

    private mutating func applyLoadLine(
        _ load: RecordedLoad, time t: Int64, place: TracePlace
    ) throws(TraceError) {
        readings += load.vms.count + load.hosts.count
        try checkBound(
            count: readings, max: Limits.readingsMax, meaning: "readings of load", place: place)
        for (name, reading) in load.vms {
            history.readings[try indexOfVM(named: name, field: "vms", place: place)].append(
                TimedReading(
                    t: t, cores: Float(reading.cores), memoryBytes: Float(reading.memoryBytes),
                    dirtyBytesPerSecond: reading.dirtyBytesPerSecond.map { Float($0) } ?? .nan))
        }
        for (name, reading) in load.hosts {
            history.hostReadings[Int(try indexOfHost(named: name, field: "hosts", place: place))]
                .append(
                    TimedReading(
                        t: t, cores: Float(reading.cores), memoryBytes: Float(reading.memoryBytes)))
        }
    }

    private mutating func applyMoveLine(
        _ move: RecordedMove, time t: Int64, place: TracePlace
    ) throws(TraceError) {
        _ = try indexOfHost(named: move.from, field: "from", place: place)
        _ = try indexOfHost(named: move.to, field: "to", place: place)
        history.moves.append(TimedMove(t: t, move: move, vm: vmIndices[move.vm]))
    }

    private mutating func applyEndLine(
        _ end: RecordedEnd, time t: Int64, place: TracePlace
    ) throws(TraceError) {
        switch end.what {
        case .vm:
            guard let name = try? VMName(end.name) else {
                throw unknownNameError(name: end.name, field: "name", place: place)
            }
            history.goneAt[try indexOfVM(named: name, field: "name", place: place)] = t
            vmIndices[name] = nil
        case .host:
            guard let name = try? HostName(end.name), let index = hostIndices[name] else {
                throw unknownNameError(name: end.name, field: "name", place: place)
            }
            history.hostChanges[index].append(
                HostChange(t: t, state: .maintenance, isFenced: false, isThere: false))
        }
    }

    private func indexOfVM(named name: VMName, field: String, place: TracePlace) throws(TraceError)
        -> Int
    {
        guard let index = vmIndices[name] else {
            throw unknownNameError(name: name.text, field: field, place: place)
        }
        return index
    }

    /// -1 for no host.
    private func indexOfHost(
        named name: HostName?, field: String, place: TracePlace
    ) throws(TraceError) -> Int32 {
        guard let name else { return -1 }
        guard let index = hostIndices[name] else {
            throw unknownNameError(name: name.text, field: field, place: place)
        }
        return Int32(index)
    }

    private func unknownNameError(name: String, field: String, place: TracePlace) -> TraceError {
        .malformed(
            place.withField(named: field),
            expected: "the name of something that a line above describes",
            found: shortenedText(from: name))
    }

    private func checkBound(
        count: Int, max limit: Int, meaning what: String, place: TracePlace
    ) throws(TraceError) {
        guard count <= limit else { throw .tooLarge(file: place.file, limit: limit, of: what) }
    }

    consuming func finishHistory(path: String, cutOffBytes: Int) throws(TraceError) -> History {
        history.cutOffBytes = cutOffBytes
        guard !history.hosts.isEmpty else {
            throw .malformed(TracePlace(path), expected: "at least one host", found: "")
        }
        for vm in history.vms.indices {
            var reader = StayBuilder(vm)
            for change in history.places[vm] {
                reader.applyChange(change) { history.isHostSilent(number: Int($0), at: change.t) }
            }
            reader.finishStays(goneAt: history.goneAt[vm])
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
    fileprivate func withField(named name: String) -> TracePlace {
        TracePlace(file, line: line, field: name)
    }
}
