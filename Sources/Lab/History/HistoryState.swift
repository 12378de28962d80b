// What a history says so far, and so what is news: each sight of the cluster is turned into the lines that it is worth.
//
// It only says which lines; `take` is told of those that were written, or read back from a file that is gone on with.
// The promise to readers: a line names only hosts and groups that a line above it describes. What is not known yet is
// left out, and is news when it is seen again. It holds the present, so it is as large as the cluster.

package import Model

package struct HistoryState: Hashable, Sendable {
    /// One outcome of one move: told again, it is no news.
    private struct MoveKey: Hashable {
        var operation: Identifier128
        var vm: VMName
        var to: HostName
        var attempts: Int

        init(_ move: RecordedMove) {
            (operation, vm, to, attempts) = (move.operation, move.vm, move.to, move.attempts)
        }
    }

    package private(set) var hosts: [HostName: RecordedHost] = [:]
    package private(set) var groups: [String: RecordedGroup] = [:]
    package private(set) var vms: [VMName: RecordedVM] = [:]
    private var places: [VMName: RecordedPlace] = [:]
    private var readings: [VMName: VMReading] = [:]
    private var hostReadings: [HostName: HostReading] = [:]
    private var moves: Set<MoveKey> = []
    /// The oldest is forgotten first.
    private var moveOrder: [MoveKey] = []

    package init() {}

    package mutating func applyLine(_ line: HistoryLine) {
        switch line {
        case .begin, .gap, .end: break
        case .host(let host): hosts[host.name] = host
        case .group(let group): groups[group.name] = group
        case .vm(let vm): vms[vm.name] = vm
        case .place(let place): places[place.vm] = place
        case .load(let load):
            for (name, reading) in load.vms { readings[name] = reading }
            for (name, reading) in load.hosts { hostReadings[name] = reading }
        case .move(let move): rememberMove(key: MoveKey(move))
        case .gone(let end): removeEnded(end)
        }
    }

    private mutating func removeEnded(_ end: RecordedEnd) {
        switch end.what {
        case .vm:
            guard let name = try? VMName(end.name) else { return }
            vms[name] = nil
            places[name] = nil
            readings[name] = nil
        case .host:
            guard let name = try? HostName(end.name) else { return }
            hosts[name] = nil
            hostReadings[name] = nil
        }
    }

    private mutating func rememberMove(key: MoveKey) {
        guard moves.insert(key).inserted else { return }
        moveOrder.append(key)
        guard moveOrder.count > 2 * Limits.movesRememberedMax else { return }
        for old in moveOrder.prefix(Limits.movesRememberedMax) { moves.remove(old) }
        moveOrder.removeFirst(Limits.movesRememberedMax)
    }
}

extension HistoryState {
    package func changedLines(for host: RecordedHost) -> [HistoryLine] {
        hosts[host.name] == host ? [] : [.host(host)]
    }

    package func changedLines(for group: RecordedGroup) -> [HistoryLine] {
        groups[group.name] == group ? [] : [.group(group)]
    }

    package func changedLines(for vm: RecordedVM, place: RecordedPlace) -> [HistoryLine] {
        let vm = keepingKnownGroups(of: vm)
        let place = keepingKnownHost(of: place)
        var lines: [HistoryLine] = []
        let isAnother = vms[vm.name].map { $0.id != vm.id } ?? false
        if isAnother { lines.append(.gone(RecordedEnd(.vm, name: vm.name.text))) }
        if vms[vm.name] != vm { lines.append(.vm(vm)) }
        if isAnother || places[vm.name] != place { lines.append(.place(place)) }
        return lines
    }

    /// Groups that a VM names and no line describes.
    package func unknownGroups(of vm: RecordedVM) -> [String] {
        vm.groups.filter { groups[$0] == nil }
    }

    private func keepingKnownGroups(of vm: RecordedVM) -> RecordedVM {
        var vm = vm
        vm.groups.removeAll { groups[$0] == nil }
        return vm
    }

    private func keepingKnownHost(of place: RecordedPlace) -> RecordedPlace {
        var place = place
        if let host = place.host, hosts[host] == nil { place.host = nil }
        if let host = place.destination, hosts[host] == nil { place.destination = nil }
        return place
    }

    package func changedLines(for move: RecordedMove) -> [HistoryLine] {
        moves.contains(MoveKey(move)) || hosts[move.from] == nil || hosts[move.to] == nil
            ? [] : [.move(move)]
    }

    /// It is over, and was before this history began.
    package mutating func markAsRecorded(_ move: RecordedMove) { rememberMove(key: MoveKey(move)) }

    package func changedLines(forEnd end: RecordedEnd) -> [HistoryLine] {
        let isKnown =
            switch end.what {
            case .vm: (try? VMName(end.name)).map { vms[$0] != nil } ?? false
            case .host: (try? HostName(end.name)).map { hosts[$0] != nil } ?? false
            }
        return isKnown ? [.gone(end)] : []
    }

    /// VMs and hosts that are in no list any more, by name.
    package func endedEntries(listedVMs listed: Set<VMName>, listedHosts: Set<HostName>)
        -> [HistoryLine]
    {
        let vms = vms.keys.filter { !listed.contains($0) }.sorted()
        let hosts = hosts.keys.filter { !listedHosts.contains($0) }.sorted()
        return vms.map { .gone(RecordedEnd(.vm, name: $0.text)) }
            + hosts.map { .gone(RecordedEnd(.host, name: $0.text)) }
    }

    /// Readings that are further than a step from the last ones written.
    package func changedLines(
        forVMs vmReadings: [VMName: VMReading], hosts readingsOfHosts: [HostName: HostReading]
    ) -> [HistoryLine] {
        var loads: [RecordedLoad] = []
        var load = RecordedLoad()
        for name in readingsOfHosts.keys.sorted() {
            guard let host = hosts[name], let reading = readingsOfHosts[name]?.written,
                ReadingThresholds.isWorthRecording(reading, after: hostReadings[name], of: host)
            else { continue }
            load.hosts.append((name, reading))
            if load.hosts.count == Limits.readingsPerLineMax { flushLoad() }
        }
        for name in vmReadings.keys.sorted() {
            guard let vm = vms[name], let reading = vmReadings[name]?.written,
                ReadingThresholds.isWorthRecording(reading, after: readings[name], of: vm)
            else { continue }
            load.vms.append((name, reading))
            if load.vms.count == Limits.readingsPerLineMax { flushLoad() }
        }
        flushLoad()
        return loads.map { .load($0) }

        func flushLoad() {
            if load != RecordedLoad() { loads.append(load) }
            load = RecordedLoad()
        }
    }
}
