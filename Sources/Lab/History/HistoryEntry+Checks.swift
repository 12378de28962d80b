// Which figures a line may hold: so bounded, nothing that is computed from them overflows.

import Model

/// The first thing wrong with a line.
struct FieldFault {
    var field: String
    var expected: String
    var found: String

    init(_ field: String, _ expected: String, _ found: some CustomStringConvertible) {
        self.field = field
        self.expected = expected
        self.found = cut("\(found)")
    }
}

extension HistoryEntry {
    var fault: FieldFault? {
        outside("t", t, 0...Limits.timeMax) ?? lineFault
    }

    private var lineFault: FieldFault? {
        switch line {
        case .begin(let header): header.fault
        case .host(let host): host.fault
        case .group(let group): group.fault
        case .vm(let vm): vm.fault
        case .place, .gone, .end: nil
        case .load(let load): load.fault
        case .move(let move): move.fault
        case .gap(let gap): outside("since", gap.since, 0...t)
        }
    }
}

private func first(_ faults: FieldFault?...) -> FieldFault? {
    faults.lazy.compactMap { $0 }.first
}

private func outside<Value: Comparable & CustomStringConvertible>(
    _ field: String, _ value: Value, _ range: ClosedRange<Value>
) -> FieldFault? {
    // Also true of what is not a number.
    range.contains(value)
        ? nil : FieldFault(field, "\(range.lowerBound) to \(range.upperBound)", value)
}

private func outside<Value: Comparable & CustomStringConvertible>(
    _ field: String, _ value: Value?, _ range: ClosedRange<Value>
) -> FieldFault? {
    value.flatMap { outside(field, $0, range) }
}

private func tooLong(_ field: String, _ names: [String]) -> FieldFault? {
    if names.count > Limits.namesMax {
        return FieldFault(field, "at most \(Limits.namesMax) names", names.count)
    }
    return names.lazy.compactMap { tooLong(field, $0) }.first
}

private func tooLong(_ field: String, _ name: String) -> FieldFault? {
    name.utf8.count <= Limits.nameBytesMax
        ? nil : FieldFault(field, "at most \(Limits.nameBytesMax) bytes", name)
}

extension HistoryHeader {
    fileprivate var fault: FieldFault? {
        if version != Self.version {
            return FieldFault(
                "version",
                version > Self.version
                    ? "\(Self.version): a newer ferry wrote this history, read it with that one"
                    : "\(Self.version)", version)
        }
        return first(
            outside("startedAtMs", startedAtMs, 0...(Int64(1) << 52)),
            outside("everySeconds", everySeconds, 0.1...86400), tooLong("policy", policy))
    }
}

extension RecordedHost {
    fileprivate var fault: FieldFault? {
        first(
            outside("cores", cores, 1...Limits.hostCoresMax),
            outside("memoryBytes", memoryBytes, 1...Limits.hostBytesMax),
            outside("memoryReserveBytes", memoryReserveBytes, 0...Limits.hostBytesMax),
            outside("cpuOvercommit", cpuOvercommit, 0...Limits.overcommitMax),
            outside("memoryOvercommit", memoryOvercommit, 0...Limits.overcommitMax),
            outside("linkBytesPerSecond", linkBytesPerSecond, 0...0x1p52),
            tooLong("features", features), tooLong("labels", labels), tooLong("zone", zone),
            tooLong("rack", rack), tooLong("link", link))
    }
}

extension RecordedGroup {
    fileprivate var fault: FieldFault? {
        first(
            tooLong("name", name), outside("softWeight", softWeight, 0...1e6),
            outside("perDomainMax", perDomainMax, 1...Limits.vmsMax))
    }
}

extension RecordedVM {
    fileprivate var fault: FieldFault? {
        first(
            outside("vcpus", vcpus, 1...Limits.vcpusMax),
            outside("memoryBytes", memoryBytes, 0...Limits.vmMemoryBytesMax),
            outside("priority", priority, -(1 << 31)...(1 << 31)),
            outside("downtimeLimitMs", downtimeLimitMs, 0...3_600_000),
            tooLong("labels", labels), tooLong("groups", groups))
    }
}

extension RecordedLoad {
    fileprivate var fault: FieldFault? {
        for (_, reading) in vms {
            let fault = first(
                outside("cores", reading.cores, 0...0x1p20),
                outside("memoryBytes", reading.memoryBytes, 0...Limits.hostBytesMax),
                outside(
                    "dirtyBytesPerSecond", reading.dirtyBytesPerSecond, 0...Limits.hostBytesMax))
            if let fault { return fault }
        }
        for (_, reading) in hosts {
            let fault = first(
                outside("hostCores", reading.cores, 0...0x1p20),
                outside("hostMemoryBytes", reading.memoryBytes, 0...Limits.hostBytesMax))
            if let fault { return fault }
        }
        return nil
    }
}

extension RecordedMove {
    fileprivate var fault: FieldFault? {
        for (field, estimate) in [
            ("predictedSeconds", predictedSeconds), ("predictedDowntimeMs", predictedDowntimeMs),
            ("predictedBytes", predictedBytes),
        ] {
            for value in [estimate.low, estimate.expected, estimate.high] {
                if let fault = outside(field, value, 0...0x1p60) { return fault }
            }
        }
        return first(
            outside("attempts", attempts, 0...1_000_000), outside("seconds", seconds, 0...1e9),
            outside("downtimeMs", downtimeMs, 0...1e12),
            outside("bytes", bytes, 0...(Int64(1) << 60)), tooLong("plannedFor", plannedFor))
    }
}
