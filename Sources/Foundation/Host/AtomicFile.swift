// Files that are there whole or not at all, also after a power cut.

import Glibc

/// Writes a file beside its place, flushes it, and puts it there under its name.
package enum AtomicFile {
    /// What happens to a file that has the name already.
    package enum Existing: Sendable {
        case replace
        /// Throws EEXIST and leaves it as it was.
        case keep
    }

    /// - Parameter mode: the permission bits from the file's first moment on; the umask can only take away.
    package static func writeBytes(
        _ bytes: [UInt8], to path: String, mode: UInt32 = 0o644,
        ifExists existing: Existing = .replace
    ) throws(SystemError) {
        let draft = "\(path).\(getpid()).\(UInt32.random(in: .min ... .max)).draft"
        do {
            let file = try Descriptor.openFile(
                at: draft, flags: O_CREAT | O_EXCL | O_WRONLY, mode: mode)
            try file.writeAllBytes(bytes)
            try file.flushToDisk()
            switch existing {
            case .replace:
                try checkedSystemCall(named: "rename(\(path))") { unsafe rename(draft, path) }
            case .keep:
                // Unlike rename, link refuses a name that is taken, in one step.
                try checkedSystemCall(named: "create(\(path))") { unsafe link(draft, path) }
                _ = unsafe unlink(draft)
            }
        } catch {
            _ = unsafe unlink(draft)
            throw error
        }
        try Folder.flushToDisk(at: Folder.parentFolder(ofPath: path))
    }
}

extension Descriptor {
    /// Returns when the kernel says that the bytes are on the disk.
    package func flushToDisk() throws(SystemError) {
        try checkedSystemCall(named: "fsync") { fsync(number) }
    }

    /// Takes the file's lock for as long as the descriptor is open; EWOULDBLOCK when another has it.
    package func lockExclusively() throws(SystemError) {
        try checkedSystemCall(named: "flock") { flock(number, LOCK_EX | LOCK_NB) }
    }
}
