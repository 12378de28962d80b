// Which figures a line may hold: so bounded, nothing that is computed from them overflows.

import Model

/// The first thing wrong with a line.
struct FieldFault {
    var field: String
    var expected: String
    var found: String

    init(field: String, expected: String, found: some CustomStringConvertible) {
        self.field = field
        self.expected = expected
        self.found = shortenedText(from: "\(found)")
    }
}

extension HistoryEntry {
    var fault: FieldFault? {
        rangeFault(field: "t", found: t, range: 0...Limits.timeMax) ?? lineFault
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
        case .gap(let gap): rangeFault(field: "since", found: gap.since, range: 0...t)
        }
    }
}

private func firstFault(in faults: FieldFault?...) -> FieldFault? {
    faults.lazy.compactMap { $0 }.first
}

private func rangeFault<Value: Comparable & CustomStringConvertible>(
    field: String, found value: Value, range: ClosedRange<Value>
) -> FieldFault? {
    // Also true of what is not a number.
    range.contains(value)
        ? nil
        : FieldFault(
            field: field, expected: "\(range.lowerBound) to \(range.upperBound)", found: value)
}

private func rangeFault<Value: Comparable & CustomStringConvertible>(
    field: String, found value: Value?, range: ClosedRange<Value>
) -> FieldFault? {
    value.flatMap { rangeFault(field: field, found: $0, range: range) }
}

private func lengthFault(field: String, names: [String]) -> FieldFault? {
    if names.count > Limits.namesMax {
        return FieldFault(
            field: field, expected: "at most \(Limits.namesMax) names", found: names.count)
    }
    return names.lazy.compactMap { lengthFault(field: field, name: $0) }.first
}

private func lengthFault(field: String, name: String) -> FieldFault? {
    name.utf8.count <= Limits.nameBytesMax
        ? nil
        : FieldFault(field: field, expected: "at most \(Limits.nameBytesMax) bytes", found: name)
}

extension HistoryHeader {
    fileprivate var fault: FieldFault? {
        if version != Self.version {
            return FieldFault(
                field: "version",
                expected: version > Self.version
                    ? "\(Self.version): a newer ferry wrote this history, read it with that one"
                    : "\(Self.version)", found: version)
        }
        return firstFault(
            in: rangeFault(field: "startedAtMs", found: startedAtMs, range: 0...(Int64(1) << 52)),
            rangeFault(field: "everySeconds", found: everySeconds, range: 0.1...86400),
            lengthFault(field: "policy", name: policy))
    }
}

extension RecordedHost {
    fileprivate var fault: FieldFault? {
        firstFault(
            in: rangeFault(field: "cores", found: cores, range: 1...Limits.hostCoresMax),
            rangeFault(field: "memoryBytes", found: memoryBytes, range: 1...Limits.hostBytesMax),
            rangeFault(
                field: "memoryReserveBytes", found: memoryReserveBytes,
                range: 0...Limits.hostBytesMax),
            rangeFault(
                field: "cpuOvercommit", found: cpuOvercommit, range: 0...Limits.overcommitMax),
            rangeFault(
                field: "memoryOvercommit", found: memoryOvercommit, range: 0...Limits.overcommitMax),
            rangeFault(field: "linkBytesPerSecond", found: linkBytesPerSecond, range: 0...0x1p52),
            lengthFault(field: "features", names: features),
            lengthFault(field: "labels", names: labels), lengthFault(field: "zone", name: zone),
            lengthFault(field: "rack", name: rack), lengthFault(field: "link", name: link))
    }
}

extension RecordedGroup {
    fileprivate var fault: FieldFault? {
        firstFault(
            in: lengthFault(field: "name", name: name),
            rangeFault(field: "softWeight", found: softWeight, range: 0...1e6),
            rangeFault(field: "perDomainMax", found: perDomainMax, range: 1...Limits.vmsMax))
    }
}

extension RecordedVM {
    fileprivate var fault: FieldFault? {
        firstFault(
            in: rangeFault(field: "vcpus", found: vcpus, range: 1...Limits.vcpusMax),
            rangeFault(
                field: "memoryBytes", found: memoryBytes, range: 0...Limits.vmMemoryBytesMax),
            rangeFault(field: "priority", found: priority, range: -(1 << 31)...(1 << 31)),
            rangeFault(field: "downtimeLimitMs", found: downtimeLimitMs, range: 0...3_600_000),
            lengthFault(field: "labels", names: labels), lengthFault(field: "groups", names: groups)
        )
    }
}

extension RecordedLoad {
    fileprivate var fault: FieldFault? {
        for (_, reading) in vms {
            let fault = firstFault(
                in: rangeFault(field: "cores", found: reading.cores, range: 0...0x1p20),
                rangeFault(
                    field: "memoryBytes", found: reading.memoryBytes, range: 0...Limits.hostBytesMax
                ),
                rangeFault(
                    field: "dirtyBytesPerSecond", found: reading.dirtyBytesPerSecond,
                    range: 0...Limits.hostBytesMax))
            if let fault { return fault }
        }
        for (_, reading) in hosts {
            let fault = firstFault(
                in: rangeFault(field: "hostCores", found: reading.cores, range: 0...0x1p20),
                rangeFault(
                    field: "hostMemoryBytes", found: reading.memoryBytes,
                    range: 0...Limits.hostBytesMax))
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
                if let fault = rangeFault(field: field, found: value, range: 0...0x1p60) {
                    return fault
                }
            }
        }
        return firstFault(
            in: rangeFault(field: "attempts", found: attempts, range: 0...1_000_000),
            rangeFault(field: "seconds", found: seconds, range: 0...1e9),
            rangeFault(field: "downtimeMs", found: downtimeMs, range: 0...1e12),
            rangeFault(field: "bytes", found: bytes, range: 0...(Int64(1) << 60)),
            lengthFault(field: "plannedFor", name: plannedFor))
    }
}
