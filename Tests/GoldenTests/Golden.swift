// What an earlier version of Ferry stored and sent, byte by byte in Golden/, and the check that this version reads it
// and writes the same.
//
// A line of a .jsonl file is one value as compact JSON with sorted keys, as stores and the API have it; a line of a .hex
// file is a name and the bytes in hexadecimal. The files are never changed. When a later version writes something else,
// it must still read what is here: the entry becomes `.readOnly`, and a new file with the new bytes of the same values
// stands beside the old one.
//
// FERRY_GOLDEN_WRITE=1 writes the bytes of this version into the files of the entries that are not `.readOnly`: for new
// lines and new files. The diff must then show additions only.

import Foundation
import Host
import Testing

enum GoldenFile {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().path + "/Golden"
    static let isWriting = ProcessInfo.processInfo.environment["FERRY_GOLDEN_WRITE"] == "1"

    static func path(_ name: String) -> String { "\(folder)/\(name)" }

    static func bytes(_ name: String) throws -> [UInt8] {
        try File.readContents(at: path(name), limit: 1 << 20)
    }

    static func lines(_ name: String) throws -> [String] {
        String(decoding: try bytes(name), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }

    /// Compares with a file, or makes it so.
    static func check(_ name: String, hasText text: String) throws {
        if isWriting { try AtomicFile.writeBytes(Array(text.utf8), to: path(name)) }
        #expect(try String(decoding: bytes(name), as: UTF8.self) == text, "\(name)")
    }

    /// Compares line by line, so that a failure shows the one that differs, or writes the file.
    static func check(_ name: String, hasLines found: [String]) throws {
        let text = found.map { "\($0)\n" }.joined()
        if isWriting { try AtomicFile.writeBytes(Array(text.utf8), to: path(name)) }
        let stored = try lines(name)
        #expect(stored.count == found.count, "lines of \(name)")
        for (index, (stored, found)) in zip(stored, found).enumerated() {
            #expect(stored == found, "\(name), line \(index + 1)")
        }
    }
}

enum GoldenJSON {
    static func decode<Value: Decodable>(_ type: Value.Type, _ line: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(line.utf8))
    }

    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// A folder for one test.
func withTemporaryFolder(_ body: (String) async throws -> Void) async throws {
    let folder = "\(NSTemporaryDirectory())ferry-golden-\(UInt64.random(in: .min ... .max))"
    try Folder.createFolder(at: folder, mode: 0o700)
    defer { try? Folder.removeRecursively(at: folder) }
    try await body(folder)
}
