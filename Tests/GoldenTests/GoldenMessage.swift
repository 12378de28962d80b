// A file of JSON values of one type.

import ClusterCore
import Controller
import Foundation
import Testing

/// A file of Golden/ whose lines are values of one type, and how this version reads and writes it.
struct GoldenMessage: Sendable, CustomTestStringConvertible {
    let file: String
    /// Reads every line and writes it again, as it was or as in the newer file.
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

    /// Each line is read; written by this version, it is the same line of a newer file.
    static func readOnly<Value: Codable & Hashable & Sendable>(
        _ file: String, writtenAs newer: String, _ type: Value.Type
    ) -> Self {
        readOnly(file, writtenAs: newer) { line in
            try GoldenJSON.encode(GoldenJSON.decode(type, line))
        }
    }

    /// Records as the store has them under this key.
    static func record(_ file: String, key: String) -> Self {
        Self(file: file) {
            let lines = try GoldenFile.lines("\(file).jsonl")
            try GoldenFile.check(
                "\(file).jsonl",
                hasLines: lines.map { try text(of: readRecord($0, key: key)) })
        }
    }

    /// Records of an earlier version that this one reads as they are.
    static func readOnlyRecord(_ file: String, writtenAs newer: String, key: String) -> Self {
        readOnly(file, writtenAs: newer) { line in
            try text(of: readRecord(line, key: key))
        }
    }

    /// VMs' records of schema version 1, which a step of the schema brings up.
    static func vmRecordOfVersion1(_ file: String, writtenAs newer: String) -> Self {
        readOnly(file, writtenAs: newer) { line in
            try text(of: .vm(GoldenJSON.decode(VMRecordOfVersion1.self, line).record))
        }
    }

    private static func readOnly(
        _ file: String, writtenAs newer: String,
        rewrite: @escaping @Sendable (_ line: String) throws -> String
    ) -> Self {
        Self(file: file) {
            let lines = try GoldenFile.lines("\(file).jsonl").map(rewrite)
            try GoldenFile.check("\(newer).jsonl", hasLines: lines)
        }
    }

    private static func text(of record: ClusterRecord) throws -> String {
        String(decoding: try RecordCodec.encodeRecord(record), as: UTF8.self)
    }

    private static func readRecord(_ line: String, key: String) throws -> ClusterRecord {
        let entry = StoreEntry(
            key: StoreKey(key), value: Array(line.utf8), revision: Revision(1))
        return try #require(try RecordCodec.decodeRecord(from: entry))
    }
}
