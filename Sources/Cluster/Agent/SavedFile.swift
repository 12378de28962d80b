// A VM saved to disk: one file, written by its ferry-vmm. It is complete or not there.

import API
import Glibc
import Host
import Machine
import Model
import VMControl

enum SaveError: Error, Sendable, CustomStringConvertible {
    case exists(path: String)
    case system(SystemError)
    case vmm(VMMError)
    case unreadable(path: String, SavedFileError)
    case noFile(path: String, RegularFileError)

    var description: String {
        switch self {
        case .exists(let path):
            "\(path) exists; nothing is overwritten: remove it or give another path"
        case .system(let error): "\(error)"
        case .vmm(let error): "\(error)"
        case .unreadable(let path, let error): "\(path) cannot be restored: \(error)"
        case .noFile(let path, let error): "\(path) cannot be restored: \(error)"
        }
    }
}

enum SavedFile {
    /// Blocks for as long as it takes to write the guest's memory. A running guest stands still meanwhile, and
    /// runs on afterwards, also if this process dies.
    static func write(
        _ process: VMProcess, to path: String
    ) throws(SaveError) -> SavedVM {
        if File.isThere(path) { throw .exists(path: path) }
        let draft = "\(path).\(getpid()).draft"
        do {
            let file = try Descriptor.open(draft, O_CREAT | O_EXCL | O_RDWR, mode: 0o600)
            try save(process, to: file)
            try file.flushToDisk()
            try checked("create(\(path))") { unsafe link(draft, path) }
            try File.remove(draft)
            try Folder.flushToDisk(Folder.holding(path))
            return SavedVM(path: path, bytes: UInt64(try file.size()))
        } catch {
            // What is left of the attempt; it may not have come so far as to make it.
            try? File.remove(draft)
            switch error {
            case let error as SaveError: throw error
            case let error as VMMError: throw .vmm(error)
            case let error as SystemError where error.code == EEXIST: throw .exists(path: path)
            case let error as SystemError: throw .system(error)
            default: unexpectedError(error)
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

    /// What was saved at a path. Blocks.
    static func record(of path: String) throws(SaveError) -> VMRecord {
        do {
            let reader = try SavedFileReader(RegularFile.open(path))
            return VMRecord(id: reader.header.id, spec: reader.header.spec)
        } catch let error as SystemError {
            throw .system(error)
        } catch let error as RegularFileError {
            throw .noFile(path: path, error)
        } catch let error as SavedFileError {
            throw .unreadable(path: path, error)
        } catch {
            unexpectedError(error)
        }
    }
}

extension Problem {
    init(_ error: SaveError) {
        switch error {
        case .exists: self.init(.fileExists, "\(error)")
        case .unreadable, .noFile, .system: self.init(.savedFileUnusable, "\(error)")
        case .vmm: self.init(.vmmFailed, "\(error)")
        }
    }
}
