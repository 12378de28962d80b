// A memory control group around one process: what it takes up from now on is bounded, and the kernel kills it when
// it wants more.

import Glibc
import Host
import Testbed

final class MemoryLimit {
    private static let bytes = 8 << 20
    private let folder: String
    private let root: String
    private let process: Int32

    private static let version1 = "/sys/fs/cgroup/memory"
    private static let version2 = "/sys/fs/cgroup"

    /// Why there can be none here; nil when there can.
    static var problem: String? {
        if geteuid() != 0 { return "control groups need root" }
        return root == nil ? "there is no memory controller" : nil
    }

    private static var root: String? {
        if File.isPresent(at: version1 + "/memory.limit_in_bytes") { return version1 }
        let controllers = try? File.readContents(
            at: version2 + "/cgroup.subtree_control", limit: 4096)
        let isThere = controllers.map { String(decoding: $0, as: UTF8.self).contains("memory") }
        return isThere == true ? version2 : nil
    }

    init(of process: Int32) throws {
        guard let root = Self.root else { throw TestbedError("there is no memory controller") }
        self.root = root
        self.process = process
        folder = "\(root)/ferry-faults-\(getpid())"
        try Folder.createFolder(at: folder)
        let file = root == Self.version1 ? "memory.limit_in_bytes" : "memory.max"
        try Self.writeControl(text: "\(Self.bytes)", toFile: "\(folder)/\(file)")
        try Self.writeControl(text: "\(process)", toFile: "\(folder)/cgroup.procs")
    }

    func removeLimit() {
        // It is dead, or goes back to where it was.
        try? Self.writeControl(text: "\(process)", toFile: "\(root)/cgroup.procs")
        _ = unsafe rmdir(folder)
    }

    private static func writeControl(text: String, toFile path: String) throws {
        try Descriptor.openFile(at: path, flags: O_WRONLY).writeAllBytes(Array(text.utf8))
    }
}
