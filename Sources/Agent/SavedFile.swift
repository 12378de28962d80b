// A VM saved to disk: memory and state as its ferry-vmm wrote them in PATH, and what it is in PATH.json.
//
// Both files are complete or not there: PATH.json comes last, and restoring begins with it.

import FoundationEssentials
import Glibc
import API
import Host
import Model
import VMControl

enum SavedFileError: Error, Sendable, CustomStringConvertible {
    case exists(path: String)
    case system(SystemError)
    case vmm(VMMError)
    case record(VMRecordError)
    case notThere(path: String)

    var description: String {
        switch self {
        case .exists(let path): "\(path) exists; nothing is overwritten: remove it or give another path"
        case .system(let error): "\(error)"
        case .vmm(let error): "\(error)"
        case .record(let error): "\(error)"
        case .notThere(let path): "\(path) is not a saved VM: \(path) and \(path).json must both be there"
        }
    }
}

enum SavedFile {
    private static func recordPath(_ path: String) -> String { "\(path).json" }

    /// Blocks for as long as it takes to write the guest's memory. A running guest stands still meanwhile, and
    /// runs on afterwards, also if this process dies.
    static func write(
        _ record: VMRecord, of process: VMProcess, to path: String
    ) throws(SavedFileError) -> SavedVM {
        for path in [path, recordPath(path)] where File.isThere(path) {
            throw .exists(path: path)
        }
        let draft = "\(path).\(getpid()).draft"
        do {
            let file = try Descriptor.open(draft, O_CREAT | O_EXCL | O_RDWR, mode: 0o600)
            try save(process, to: file)
            try file.flushToDisk()
            try checked("create(\(path))") { unsafe link(draft, path) }
            try File.remove(draft)
            try writeRecord(record, beside: path)
            return SavedVM(path: path, bytes: UInt64(try file.size()))
        } catch {
            // What is left of the attempt; it may not have come so far as to make it.
            try? File.remove(draft)
            switch error {
            case let error as SavedFileError: throw error
            case let error as VMMError: throw .vmm(error)
            case let error as SystemError where error.code == EEXIST: throw .exists(path: path)
            case let error as SystemError: throw .system(error)
            default: fatalError("only typed errors are thrown above: \(error)")
            }
        }
    }

    /// On a connection of its own: saving takes long, and if this process dies the pause ends with it.
    private static func save(_ process: VMProcess, to file: Descriptor) throws(VMMError) {
        let client = try process.anotherClient()
        let wasRunning = try client.status().state == .running
        if wasRunning { try client.pause(forHandover: true) }
        do throws(VMMError) { try client.save(to: file) } catch {
            // The first error is the one to tell; a guest that does not resume now does so when the
            // connection ends.
            if wasRunning { try? client.resume() }
            throw error
        }
        if wasRunning { try client.resume() }
    }

    private static func writeRecord(_ record: VMRecord, beside path: String) throws(SavedFileError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        do {
            try AtomicFile.write(
                Array(encoder.encode(record)), to: recordPath(path), mode: 0o600, existing: .keep)
        } catch let error as SystemError {
            throw .system(error)
        } catch {
            throw .record(.unreadable(path: recordPath(path), reason: "\(error)"))
        }
    }

    /// What was saved at a path.
    static func record(of path: String) throws(SavedFileError) -> VMRecord {
        guard File.isThere(path), File.isThere(recordPath(path)) else { throw .notThere(path: path) }
        do throws(VMRecordError) {
            return try VMRecord(loadingFrom: recordPath(path))
        } catch { throw .record(error) }
    }
}

extension Problem {
    init(_ error: SavedFileError) {
        switch error {
        case .exists: self.init(.fileExists, "\(error)")
        case .notThere, .record: self.init(.savedFileUnusable, "\(error)")
        case .vmm, .system: self.init(.vmmFailed, "\(error)")
        }
    }
}
