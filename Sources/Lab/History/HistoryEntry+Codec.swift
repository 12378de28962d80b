// A line of a history as bytes, and back: one JSON object, its keys sorted, its end a newline.

import FoundationEssentials
import Model
import Traces

private enum Kind: String, Codable, CaseIterable {
    case history, host, group, vm, place, load, move, gone, gap, end
}

private enum Key: String, CodingKey {
    case kind, t
}

extension HistoryEntry: Encodable {
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(t, forKey: .t)
        try container.encode(kind, forKey: .kind)
        switch line {
        case .begin(let header): try header.encode(to: encoder)
        case .host(let host): try host.encode(to: encoder)
        case .group(let group): try group.encode(to: encoder)
        case .vm(let vm): try vm.encode(to: encoder)
        case .place(let place): try place.encode(to: encoder)
        case .load(let load): try load.encode(to: encoder)
        case .move(let move): try move.encode(to: encoder)
        case .gone(let end): try end.encode(to: encoder)
        case .gap(let gap): try gap.encode(to: encoder)
        case .end: break
        }
    }

    private var kind: Kind {
        switch line {
        case .begin: .history
        case .host: .host
        case .group: .group
        case .vm: .vm
        case .place: .place
        case .load: .load
        case .move: .move
        case .gone: .gone
        case .gap: .gap
        case .end: .end
        }
    }

    /// The line with its newline.
    ///
    /// - Throws: where a figure is not a number, which JSON cannot say.
    func encodedLine() throws(HistoryWriteError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")] } catch {
            throw .notWritable("\(error)")
        }
    }
}

extension HistoryEntry: Decodable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        t = try container.decode(Int64.self, forKey: .t)
        line =
            switch try container.decode(Kind.self, forKey: .kind) {
            case .history: .begin(try HistoryHeader(from: decoder))
            case .host: .host(try RecordedHost(from: decoder))
            case .group: .group(try RecordedGroup(from: decoder))
            case .vm: .vm(try RecordedVM(from: decoder))
            case .place: .place(try RecordedPlace(from: decoder))
            case .load: .load(try RecordedLoad(from: decoder))
            case .move: .move(try RecordedMove(from: decoder))
            case .gone: .gone(try RecordedEnd(from: decoder))
            case .gap: .gap(try RecordedGap(from: decoder))
            case .end: .end
            }
    }

    /// A line without its newline. What it says is within bounds; whether it fits the lines before it is not looked at.
    static func decodeEntry(from bytes: ArraySlice<UInt8>, at place: TracePlace) throws(TraceError)
        -> HistoryEntry
    {
        let entry: HistoryEntry
        do { entry = try JSONDecoder().decode(HistoryEntry.self, from: Data(bytes)) } catch {
            throw malformedError(for: error, line: bytes, place: place)
        }
        if let fault = entry.fault {
            throw .malformed(
                TracePlace(place.file, line: place.line, field: fault.field),
                expected: fault.expected, found: fault.found)
        }
        return entry
    }

    private static func malformedError(
        for error: any Error, line bytes: ArraySlice<UInt8>, place: TracePlace
    ) -> TraceError {
        func tracePlace(of path: [any CodingKey]) -> TracePlace {
            let names = path.map { $0.intValue.map { "\($0)" } ?? $0.stringValue }
            return TracePlace(place.file, line: place.line, field: names.joined(separator: "."))
        }
        let start = shortenedText(from: String(decoding: bytes.prefix(40), as: UTF8.self))
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return .malformed(
                tracePlace(of: context.codingPath + [key]), expected: "a value", found: "")
        case DecodingError.typeMismatch(let type, let context),
            DecodingError.valueNotFound(let type, let context):
            return .malformed(
                tracePlace(of: context.codingPath), expected: typeDescription(of: type),
                found: shortenedText(from: context.debugDescription))
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            return .malformed(
                tracePlace(of: context.codingPath), expected: "a value that this version knows",
                found: shortenedText(from: context.debugDescription))
        case let error as NameError:
            return .malformed(
                place, expected: "names of lower-case letters, digits and '-'",
                found: shortenedText(from: error.text))
        default:
            return .malformed(place, expected: "one JSON object", found: start)
        }
    }

    private static func typeDescription(of type: Any.Type) -> String {
        switch type {
        case is String.Type: "a text in quotation marks"
        case is Bool.Type: "true or false"
        case is Double.Type: "a number"
        case is any FixedWidthInteger.Type: "a whole number"
        default: "a value of another form"
        }
    }
}

/// What a message quotes of a file: a few characters, none of which a terminal obeys.
func shortenedText(from text: String) -> String {
    String(
        text.prefix(60).map { $0.isASCII && !$0.isNewline && ($0.asciiValue ?? 0) >= 32 ? $0 : "?" }
    )
}

extension RecordedLoad: Codable {
    private enum Key: String, CodingKey {
        case vms, cores, memoryBytes, dirtyBytesPerSecond, hosts, hostCores, hostMemoryBytes
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        if !vms.isEmpty {
            try container.encode(vms.map(\.name), forKey: .vms)
            try container.encode(vms.map(\.reading.cores), forKey: .cores)
            try container.encode(vms.map(\.reading.memoryBytes), forKey: .memoryBytes)
            try container.encode(
                vms.map(\.reading.dirtyBytesPerSecond), forKey: .dirtyBytesPerSecond)
        }
        if !hosts.isEmpty {
            try container.encode(hosts.map(\.name), forKey: .hosts)
            try container.encode(hosts.map(\.reading.cores), forKey: .hostCores)
            try container.encode(hosts.map(\.reading.memoryBytes), forKey: .hostMemoryBytes)
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        func decodeColumn<Value: Decodable>(for key: Key, count: Int?) throws -> [Value] {
            let values = try container.decodeIfPresent([Value].self, forKey: key) ?? []
            guard let count, values.count != count else { return values }
            throw DecodingError.dataCorruptedError(
                forKey: key, in: container,
                debugDescription: "\(values.count) values for \(count) names")
        }
        let vmNames: [VMName] = try decodeColumn(for: .vms, count: nil)
        let cores: [Double] = try decodeColumn(for: .cores, count: vmNames.count)
        let memory: [Int64] = try decodeColumn(for: .memoryBytes, count: vmNames.count)
        let dirty: [Int64?] = try decodeColumn(for: .dirtyBytesPerSecond, count: vmNames.count)
        for (index, name) in vmNames.enumerated() {
            let reading = VMReading(
                cores: cores[index], memoryBytes: memory[index], dirtyBytesPerSecond: dirty[index])
            vms.append((name, reading))
        }
        let hostNames: [HostName] = try decodeColumn(for: .hosts, count: nil)
        let hostCores: [Double] = try decodeColumn(for: .hostCores, count: hostNames.count)
        let hostMemory: [Int64] = try decodeColumn(for: .hostMemoryBytes, count: hostNames.count)
        for (index, name) in hostNames.enumerated() {
            hosts.append(
                (name, HostReading(cores: hostCores[index], memoryBytes: hostMemory[index])))
        }
    }
}
