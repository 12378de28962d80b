// The ferry-vmm processes that use an agent's VM folder, found in /proc.

import Glibc
import Host
import Model

struct DiscoveredProcess {
    let processID: Int32
    let folder: String
    /// Nil when the folder's name is no VM name.
    let name: VMName?

    /// Blocks. Leaves out processes that end meanwhile, and those that this user may not inspect.
    static func findVMProcesses(under vms: String) -> [DiscoveredProcess] {
        let numbers = ((try? Folder.entryNames(at: "/proc")) ?? []).compactMap { Int32($0) }
        return numbers.compactMap { number in
            guard let bytes = try? File.readContents(at: "/proc/\(number)/cmdline", limit: 1 << 20)
            else {
                return nil
            }
            let arguments = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard arguments.first?.split(separator: "/").last == "ferry-vmm",
                let folder = arguments.lazy.compactMap({ directoryPath(fromArgument: $0) }).first,
                Folder.parentFolder(ofPath: folder) == vms
            else { return nil }
            return DiscoveredProcess(
                processID: number, folder: folder,
                name: try? VMName(String(folder.dropFirst(vms.utf8.count + 1))))
        }
    }

    private static func directoryPath(fromArgument argument: String) -> String? {
        let option = "--directory="
        return argument.hasPrefix(option) ? String(argument.dropFirst(option.count)) : nil
    }
}
