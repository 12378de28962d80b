// Folders and whole small files, by path.

import Glibc

package enum Folder {
    /// Makes the folder and those above it that are missing; one that is there is left as it is.
    /// - Parameter mode: of the folders made.
    package static func createFolder(at path: String, mode: UInt32 = 0o755) throws(SystemError) {
        if isPresent(at: path) { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try createFolder(at: String(path[..<slash]), mode: mode)
        }
        do {
            try checkedSystemCall(named: "mkdir(\(path))") { unsafe mkdir(path, mode) }
        } catch  where error.code == EEXIST {
            // Somebody was quicker; what matters is that it is a folder.
            guard isPresent(at: path) else { throw error }
        }
    }

    package static func isPresent(at path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in it, sorted, without "." and "..".
    package static func entryNames(at path: String) throws(SystemError) -> [String] {
        guard let folder = unsafe opendir(path) else {
            throw SystemError(call: "opendir(\(path))", code: errno)
        }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes the folder and all in it; symbolic links are removed, not followed.
    package static func removeRecursively(at path: String) throws(SystemError) {
        for name in try entryNames(at: path) {
            let child = "\(path)/\(name)"
            var status = stat()
            try checkedSystemCall(named: "lstat(\(child))") { unsafe lstat(child, &status) }
            if status.st_mode & S_IFMT == S_IFDIR {
                try removeRecursively(at: child)
            } else {
                try checkedSystemCall(named: "unlink(\(child))") { unsafe unlink(child) }
            }
        }
        try checkedSystemCall(named: "rmdir(\(path))") { unsafe rmdir(path) }
    }

    /// What the file system of a folder could still take from a user who is not root.
    package static func availableBytes(at path: String) throws(SystemError) -> UInt64 {
        var status = statvfs()
        try checkedSystemCall(named: "statvfs(\(path))") { unsafe statvfs(path, &status) }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    /// The folder that a path is in.
    package static func parentFolder(ofPath path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes names that were added or removed in it durable.
    package static func flushToDisk(at path: String) throws(SystemError) {
        try Descriptor.openFile(at: path, flags: O_RDONLY | O_DIRECTORY).flushToDisk()
    }
}

package enum File {
    /// All of a file. EFBIG when it holds more than `limit` bytes.
    package static func readContents(at path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let file = try Descriptor.openFile(at: path, flags: O_RDONLY)
        var bytes: [UInt8] = []
        while true {
            let part = try file.readAvailable(upTo: 64 << 10)
            if part.isEmpty { return bytes }
            bytes += part
            guard bytes.count <= limit else {
                throw SystemError(call: "read(\(path), at most \(limit) bytes)", code: EFBIG)
            }
        }
    }

    /// Up to `count` bytes from the end of a file.
    package static func readLastBytes(at path: String, count: Int) throws(SystemError) -> [UInt8] {
        let file = try Descriptor.openFile(at: path, flags: O_RDONLY)
        let size = try file.sizeInBytes()
        try checkedSystemCall(named: "lseek(\(path))") {
            lseek(file.number, max(0, size - count), SEEK_SET)
        }
        var bytes: [UInt8] = []
        while bytes.count < count {
            let part = try file.readAvailable(upTo: min(count - bytes.count, 64 << 10))
            if part.isEmpty { break }
            bytes += part
        }
        return bytes
    }

    package static func isPresent(at path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// Removes the file; one that is not there is no error.
    package static func removeIfPresent(at path: String) throws(SystemError) {
        do { try checkedSystemCall(named: "unlink(\(path))") { unsafe unlink(path) } } catch
            where error.code == ENOENT
        {}
    }

    /// Permission bits, "0600" as 0o600.
    package static func permissionBits(at path: String) throws(SystemError) -> UInt32 {
        var status = stat()
        try checkedSystemCall(named: "stat(\(path))") { unsafe stat(path, &status) }
        return status.st_mode & 0o7777
    }
}
