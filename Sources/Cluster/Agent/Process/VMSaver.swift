// Saves a VM to a file, which its ferry-vmm writes. The file is complete or does not exist.

import API
import Glibc
import Host
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
            "\(path) exists and is not overwritten: remove it or give another path"
        case .system(let error): "\(error)"
        case .vmm(let error): "\(error)"
        case .unreadable(let path, let error): "\(path) cannot be restored: \(error)"
        case .noFile(let path, let error): "\(path) cannot be restored: \(error)"
        }
    }
}

enum VMSaver {
    /// Blocks until the guest's memory is written. A running guest is paused meanwhile and resumes afterwards, also if
    /// this process dies.
    static func saveGuest(of process: VMProcess, to path: String) throws(SaveError) -> SavedVM {
        if File.isPresent(at: path) { throw .exists(path: path) }
        let draft = "\(path).\(getpid()).draft"
        do {
            let file = try Descriptor.openFile(
                at: draft, flags: O_CREAT | O_EXCL | O_RDWR, mode: 0o600)
            try writeGuest(of: process, to: file)
            try file.flushToDisk()
            try checkedSystemCall(named: "create(\(path))") { unsafe link(draft, path) }
            try File.removeIfPresent(at: draft)
            try Folder.flushToDisk(at: Folder.parentFolder(ofPath: path))
            return SavedVM(path: path, bytes: UInt64(try file.sizeInBytes()))
        } catch {
            // The draft may not exist: the error may have come before it was made.
            try? File.removeIfPresent(at: draft)
            switch error {
            case let error as SaveError: throw error
            case let error as VMMError: throw .vmm(error)
            case let error as SystemError where error.code == EEXIST: throw .exists(path: path)
            case let error as SystemError: throw .system(error)
            default: trapOnUnexpectedError(error)
            }
        }
    }

    /// Uses a connection of its own: saving takes long, and if this process dies, the pause ends with the connection.
    private static func writeGuest(
        of process: VMProcess, to file: Descriptor
    ) throws(VMMError) {
        let client = try process.openConnection()
        let wasRunning = try client.fetchStatus().state == .running
        if wasRunning { try client.pauseGuest(forHandover: true) }
        do throws(VMMError) { try client.saveMachine(to: file) } catch {
            // The first error is the one to report. If the guest does not resume now, it does when the connection
            // ends.
            if wasRunning { try? client.resumeGuest() }
            throw error
        }
        if wasRunning { try client.resumeGuest() }
    }
}

extension VMRecord {
    /// The VM that was saved to a file, with its old identity. Blocks.
    static func readSaved(at path: String) throws(SaveError) -> VMRecord {
        let file: Descriptor
        do { file = try RegularFile.openForReading(at: path) } catch {
            throw .noFile(path: path, error)
        }
        do throws(SavedFileError) {
            let header = try SavedFileReader(file).header
            return VMRecord(id: header.id, spec: header.spec)
        } catch { throw .unreadable(path: path, error) }
    }
}

extension Problem {
    init(_ error: SaveError) {
        switch error {
        case .exists: self.init(.fileExists, detail: "\(error)")
        case .unreadable, .noFile, .system: self.init(.savedFileUnusable, detail: "\(error)")
        case .vmm: self.init(.vmmFailed, detail: "\(error)")
        }
    }
}
