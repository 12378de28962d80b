// A trace on disk before anybody knows its format: a file's bytes, or the names in a folder.
//
// A file is read once, so that a pipe will do.

import Glibc
import Host

struct TraceSource {
    let path: String
    /// Of a file; nil for a folder.
    let bytes: [UInt8]?
    /// Of a folder, sorted; hidden ones are left out.
    let names: [String]

    init(_ path: String) throws(TraceError) {
        self.path = Self.removingTrailingSlash(from: path)
        if Folder.isPresent(at: path) {
            bytes = nil
            names = try Self.fileNames(inFolder: path)
        } else {
            bytes = try Self.readBytes(ofFile: path)
            names = []
        }
    }

    /// A file that exists in memory only.
    init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
        names = []
    }

    var isFolder: Bool { bytes == nil }

    /// What people call it: the last part of its path.
    var name: String { Self.lastComponent(ofPath: path) }

    /// The folder, or the one that the file is in.
    var folder: String { isFolder ? path : Folder.parentFolder(ofPath: path) }

    /// The names beside a file, itself among them.
    func namesBeside() throws(TraceError) -> [String] { try Self.fileNames(inFolder: folder) }

    /// The table in it, when it is a file.
    func openTable(separator: UInt8 = .comma) throws(TraceError) -> CSVTable {
        guard let bytes else {
            throw .malformed(TracePlace(path), expected: "a file", found: "a folder")
        }
        return try CSVTable(file: path, bytes: bytes, separator: separator)
    }

    /// The table in a file of the folder.
    func openTable(named name: String, separator: UInt8 = .comma) throws(TraceError) -> CSVTable {
        let file = folder + "/" + name
        return try CSVTable(file: file, bytes: Self.readBytes(ofFile: file), separator: separator)
    }

    static func readBytes(ofFile path: String) throws(TraceError) -> [UInt8] {
        guard !Folder.isPresent(at: path) else {
            throw .malformed(TracePlace(path), expected: "a file", found: "a folder")
        }
        do throws(SystemError) {
            return try File.readContents(at: path, limit: Limits.fileBytesMax)
        } catch {
            guard error.code != EFBIG else {
                throw .tooLarge(file: path, limit: Limits.fileBytesMax, of: "bytes")
            }
            throw .unreadable(file: path, error)
        }
    }

    private static func fileNames(inFolder path: String) throws(TraceError) -> [String] {
        do throws(SystemError) {
            return try Folder.entryNames(at: path).filter { !$0.hasPrefix(".") }
        } catch { throw .unreadable(file: path, error) }
    }

    private static func lastComponent(ofPath path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    private static func removingTrailingSlash(from path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
