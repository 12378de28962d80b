// A host's state folder on a small disk of its own, which can really be full.

import Foundation
import Glibc
import Host
import Testbed

/// A tmpfs. Needs root. Call `end` when done.
struct SmallDisk: Sendable {
    private static let bytes = 64 << 20
    let folder: String
    private var filler: String { "\(folder)/filler" }

    init(at folder: String) throws {
        self.folder = folder
        try Folder.createFolder(at: folder, mode: 0o700)
        try checkedSystemCall(named: "mount(\(folder))") {
            unsafe mount("tmpfs", folder, "tmpfs", 0, "size=\(Self.bytes),mode=700")
        }
    }

    /// Until not a byte more goes in.
    func fillCompletely() throws {
        let file = try Descriptor.openFile(at: filler, flags: O_CREAT | O_WRONLY | O_APPEND)
        for size in [1 << 20, 4096, 1] {
            let bytes = [UInt8](repeating: 1, count: size)
            do throws(SystemError) { while true { try file.writeAllBytes(bytes) } } catch {
                guard error.code == ENOSPC else { throw error }
            }
        }
    }

    func removeFiller() throws { try File.removeIfPresent(at: filler) }

    func unmountFolder() { _ = unsafe umount2(folder, Int32(MNT_DETACH)) }
}
