// An agent's folder: what survives the agent.
//
//   STATE/lock            held by the one agent that uses the folder; its process number
//   STATE/ledger          who may run which VM
//   STATE/vms/NAME/       vm.json, the sockets of its ferry-vmm, its logs
//   STATE/saved/          saved VMs, NAME.ferry
//   STATE/term            the highest term of a controller that this agent has received
//   STATE/peers.json      the peer addresses of other hosts, as controllers sent them
//   STATE/migrations/     ID.json, the history of migrations away from this host

package import Host
package import Model
import Glibc

/// The agent's state folder, locked for as long as this object lives.
package final class StateFolder: Sendable {
    package let path: String
    private let lock: Descriptor

    /// Makes missing folders and takes the lock.
    package init(path: String) throws(StateFolderError) {
        self.path = path
        do {
            for folder in [path, "\(path)/vms", "\(path)/saved", "\(path)/migrations"] {
                try Folder.createFolder(at: folder, mode: 0o700)
            }
            lock = try Descriptor.openFile(at: "\(path)/lock", flags: O_RDWR | O_CREAT)
        } catch { throw .system(error) }
        do { try lock.lockExclusively() } catch  where error.code == EWOULDBLOCK {
            throw .inUse(path: path)
        } catch { throw .system(error) }
        do {
            try lock.truncateFile(toBytes: 0)
            try lock.writeAllBytes(Array("\(getpid())\n".utf8))
        } catch { throw .system(error) }
    }

    package var ledger: String { "\(path)/ledger" }
    package var term: String { "\(path)/term" }
    package var peers: String { "\(path)/peers.json" }
    package var vms: String { "\(path)/vms" }
    package var migrations: String { "\(path)/migrations" }
    package func filesOfVM(named vm: VMName) -> VMFiles { VMFiles(folder: "\(vms)/\(vm)") }
    package func savedFile(of vm: VMName) -> String { "\(path)/saved/\(vm).ferry" }

    /// The names of all VM folders; other entries of vms/ are left out.
    package func listVMNames() throws(SystemError) -> [VMName] {
        try Folder.entryNames(at: vms).compactMap { try? VMName($0) }
    }
}

package enum StateFolderError: Error, Sendable, CustomStringConvertible {
    case inUse(path: String)
    case system(SystemError)

    package var description: String {
        switch self {
        case .inUse(let path):
            "\(path) is in use by another agent: stop that one, or give this one another state-folder"
        case .system(let error): "the state folder cannot be used: \(error)"
        }
    }
}

/// The files of one VM.
package struct VMFiles: Hashable, Sendable {
    package let folder: String

    var record: String { "\(folder)/vm.json" }
    var controlSocket: String { "\(folder)/control.sock" }
    var consoleSocket: String { "\(folder)/console.sock" }
    var consoleLog: String { "\(folder)/console.log" }
    var consoleLogBefore: String { "\(folder)/console.log.1" }
    var exit: String { "\(folder)/exit.json" }
    var vmmLog: String { "\(folder)/vmm.log" }
}
