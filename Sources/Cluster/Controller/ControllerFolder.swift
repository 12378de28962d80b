// A controller's folder.
//
//   STATE/controllers/NAME/lock            held by the one controller that uses the folder; its process number
//   STATE/controllers/NAME/cluster.sqlite  the cluster's state, where the store is SQLite

import Glibc
import Host

/// Locked for as long as this object lives.
package final class ControllerFolder: Sendable {
    package let path: String
    private let lock: Descriptor

    /// Makes what is missing and takes the lock.
    package init(path: String) throws(ControllerError) {
        self.path = path
        do {
            try Folder.createFolder(at: path, mode: 0o700)
            lock = try Descriptor.openFile(at: "\(path)/lock", flags: O_RDWR | O_CREAT)
        } catch { throw .folder(error) }
        do { try lock.lockExclusively() } catch  where error.code == EWOULDBLOCK {
            throw .folderInUse(path: path)
        } catch { throw .folder(error) }
        do {
            try lock.truncateFile(toBytes: 0)
            try lock.writeAllBytes(Array("\(getpid())\n".utf8))
        } catch { throw .folder(error) }
    }
}
