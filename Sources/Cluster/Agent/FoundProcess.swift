// The ferry-vmm processes that use an agent's folder, by what the kernel says of every process.

import Glibc
import Host
import Model

struct FoundProcess {
    let processID: Int32
    let folder: String
    /// Nil when the folder's name is no VM's.
    let name: VMName?

    /// Blocks. A process that ends meanwhile is left out, and so is one that this user may not look at.
    static func all(in vms: String) -> [FoundProcess] {
        let numbers = ((try? Folder.names(in: "/proc")) ?? []).compactMap { Int32($0) }
        return numbers.compactMap { number in
            guard let bytes = try? File.read("/proc/\(number)/cmdline", limit: 1 << 20) else {
                return nil
            }
            let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard words.first?.split(separator: "/").last == "ferry-vmm",
                let folder = words.lazy.compactMap({ directory($0) }).first,
                Folder.holding(folder) == vms
            else { return nil }
            return FoundProcess(
                processID: number, folder: folder,
                name: try? VMName(String(folder.dropFirst(vms.utf8.count + 1))))
        }
    }

    private static func directory(_ word: String) -> String? {
        let option = "--directory="
        return word.hasPrefix(option) ? String(word.dropFirst(option.count)) : nil
    }
}
