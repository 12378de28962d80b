// A file of JSON values of one type.

import ClusterCore
import Controller
import Foundation
import Testing

/// A file of Golden/ whose lines are values of one type, and how this version reads and writes it.
struct GoldenMessage: Sendable, CustomTestStringConvertible {
    let file: String
    /// Reads every line and writes it again, or compares it with the newer file.
    let check: @Sendable () throws -> Void
    var testDescription: String { file }

    /// Each line is read, and written as it was.
    static func exact<Value: Codable & Hashable & Sendable>(_ file: String, _ type: Value.Type)
        -> Self
    {
        Self(file: file) {
            let lines = try GoldenFile.lines("\(file).jsonl")
            try GoldenFile.check(
                "\(file).jsonl",
                hasLines: lines.map { try GoldenJSON.encode(GoldenJSON.decode(type, $0)) })
        }
    }

    /// Each line is read, and is the value of the same line of a newer file.
    static func readOnly<Value: Codable & Hashable & Sendable>(
        _ file: String, sameAs newer: String, _ type: Value.Type
    ) -> Self {
        Self(file: file) {
            let values = try GoldenFile.lines("\(file).jsonl").map {
                try GoldenJSON.decode(type, $0)
            }
            let same = try GoldenFile.lines("\(newer).jsonl").map {
                try GoldenJSON.decode(type, $0)
            }
            #expect(values == same, "\(file) and \(newer)")
        }
    }

    /// Records as the store has them under this key.
    static func record(_ file: String, key: String) -> Self {
        Self(file: file) {
            let lines = try GoldenFile.lines("\(file).jsonl")
            try GoldenFile.check(
                "\(file).jsonl",
                hasLines: lines.map {
                    String(
                        decoding: try RecordCodec.encodeRecord(read($0, key: key)), as: UTF8.self)
                })
        }
    }

    /// Records of an earlier version.
    static func readOnlyRecord(_ file: String, sameAs newer: String, key: String) -> Self {
        Self(file: file) {
            let records = try GoldenFile.lines("\(file).jsonl").map { try read($0, key: key) }
            let same = try GoldenFile.lines("\(newer).jsonl").map { try read($0, key: key) }
            #expect(records == same, "\(file) and \(newer)")
        }
    }

    private static func read(_ line: String, key: String) throws -> ClusterRecord {
        let entry = StoreEntry(
            key: StoreKey(key), value: Array(line.utf8), revision: Revision(1))
        return try #require(try RecordCodec.decodeRecord(from: entry))
    }
}
