// A part of a sweep, computed on one machine and put together with the others on another.
//
// A shard file is JSON: the sweep with all that decides its results, and the results of some of its cells. It is read
// back as it was written, so that the whole has the same bytes whether it was split or not.

internal import Foundation
package import Simulation

package struct Shard: Hashable, Sendable {
    package struct Result: Hashable, Sendable, Codable {
        /// Its index in the sweep.
        package var cell: Int
        package var result: RunResult

        package init(cell: Int, result: RunResult) {
            self.cell = cell
            self.result = result
        }
    }

    package var sweep: Sweep
    package var results: [Result]

    package init(sweep: Sweep, results: [Result]) {
        self.sweep = sweep
        self.results = results
    }
}

/// Why shards do not make a sweep.
package enum ShardError: Error, Hashable, Sendable {
    case notAShard(file: String, detail: String)
    case otherVersion(file: String, found: Int, known: Int)
    case otherSweep(file: String, first: String, differs: [String])
    case cellTwice(name: String, file: String, first: String)
    case cellsMissing(names: [String], of: Int)
    case cannotWrite(detail: String)
}

// The file

private struct Header: Codable {
    static let format = "ferry-sweep-shard"
    /// Raised with every change of what a result holds.
    static let version = 1

    var format = Self.format
    var version = Self.version
}

private struct Body: Codable {
    var format: String
    var version: Int
    var sweep: Sweep
    var results: [Shard.Result]
}

extension Shard {
    package static var bytesMax: Int { Limits.shardBytesMax }

    package func encodedBytes() throws(ShardError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let header = Header()
        let body = Body(
            format: header.format, version: header.version, sweep: sweep, results: results)
        do { return Array(try encoder.encode(body)) + Array("\n".utf8) } catch {
            throw .cannotWrite(detail: "\(error)")
        }
    }

    /// - Parameter file: its name, for errors.
    package init(decoding bytes: [UInt8], file: String) throws(ShardError) {
        let header: Header = try Self.decodeValue(from: bytes, file: file)
        guard header.format == Header.format else {
            throw .notAShard(file: file, detail: "its format is \(header.format.prefix(40))")
        }
        guard header.version == Header.version else {
            throw .otherVersion(file: file, found: header.version, known: Header.version)
        }
        let body: Body = try Self.decodeValue(from: bytes, file: file)
        self.init(sweep: body.sweep, results: body.results)
        try validateShard(file: file)
    }

    private static func decodeValue<Value: Decodable>(
        from bytes: [UInt8], file: String
    ) throws(ShardError) -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do { return try decoder.decode(Value.self, from: Data(bytes)) } catch {
            throw .notAShard(file: file, detail: detailText(of: error))
        }
    }

    /// The field's path, and what is wrong with it.
    private static func detailText(of error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        switch error {
        case .keyNotFound(let key, let context):
            return "\(codingPathText(of: context.codingPath + [key])) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .dataCorrupted(let context):
            return "\(codingPathText(of: context.codingPath)): \(context.debugDescription)"
        @unknown default: return "\(error)"
        }
    }

    private static func codingPathText(of keys: [any CodingKey]) -> String {
        keys.isEmpty ? "the file" : keys.map(\.stringValue).joined(separator: ".")
    }

    private func validateShard(file: String) throws(ShardError) {
        guard !sweep.policies.isEmpty, !sweep.seeds.isEmpty, !sweep.variants.isEmpty else {
            throw .notAShard(file: file, detail: "its sweep has no cells")
        }
        do throws(SweepError) { try sweep.validate() } catch {
            throw .notAShard(file: file, detail: "\(error)")
        }
        for result in results where !(0..<sweep.cellCount).contains(result.cell) {
            throw .notAShard(
                file: file, detail: "cell \(result.cell) is not one of \(sweep.cellCount)")
        }
    }
}

// Putting together

extension Comparison {
    /// - Parameter shards: with the names of their files, at least one.
    package init(merging shards: [(file: String, shard: Shard)]) throws(ShardError) {
        precondition(!shards.isEmpty)
        let (first, sweep) = (shards[0].file, shards[0].shard.sweep)
        var results = [RunResult?](repeating: nil, count: sweep.cellCount)
        var origins = [String](repeating: "", count: sweep.cellCount)
        for (file, shard) in shards {
            let differs = sweep.differences(from: shard.sweep)
            guard differs.isEmpty else {
                throw .otherSweep(file: file, first: first, differs: differs)
            }
            for item in shard.results {
                guard results[item.cell] == nil else {
                    throw .cellTwice(
                        name: sweep.cellDescription(at: item.cell), file: file,
                        first: origins[item.cell])
                }
                results[item.cell] = item.result
                origins[item.cell] = file
            }
        }
        let missing = results.indices.filter { results[$0] == nil }.map(sweep.cellDescription(at:))
        guard missing.isEmpty else {
            throw .cellsMissing(names: missing, of: sweep.cellCount)
        }
        self.init(sweep: sweep, results: results.compactMap { $0 })
    }
}

extension Sweep {
    /// The names of what is not the same.
    fileprivate func differences(from other: Sweep) -> [String] {
        let parts = [
            ("workload", workload == other.workload && fingerprint == other.fingerprint),
            ("policies", policies == other.policies), ("seeds", seeds == other.seeds),
            ("variants", variants == other.variants),
        ]
        let names = settings.map(\.name) + other.settings.map(\.name)
        var differing = parts.filter { !$0.1 }.map(\.0)
        for name in names where !differing.contains(name) {
            let here = settings.first { $0.name == name }
            if here != other.settings.first(where: { $0.name == name }) { differing.append(name) }
        }
        return differing
    }
}

extension ShardError: CustomStringConvertible {
    private static let namesMax = 5

    package var description: String {
        switch self {
        case .notAShard(let file, let detail):
            "\(file) is not a shard of a sweep, written with --shard: \(detail)"
        case .otherVersion(let file, let found, let known):
            "\(file) has version \(found) of the shard format, this program reads version \(known): run the shard again with the same version of ferry"
        case .otherSweep(let file, let first, let differs):
            "\(file) belongs to another sweep than \(first): \(differs.joined(separator: ", ")) differ"
        case .cellTwice(let name, let file, let first):
            "\(name): the run is in \(file) and in \(first)"
        case .cellsMissing(let names, let of):
            "\(names.count) of \(of) runs are in none of the files: "
                + names.prefix(Self.namesMax).joined(separator: "; ")
                + (names.count > Self.namesMax ? "; …" : "")
        case .cannotWrite(let detail): "the shard cannot be written: \(detail)"
        }
    }
}
