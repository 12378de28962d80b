// A simulated host: what outlives its agent.

import Model

final class SimHost {
    /// What is kept of a VM in the agent's state folder, and the VM's process, also when it is gone.
    final class Folder {
        let vm: SimVM
        let vmm: SimVMM?

        init(vm: SimVM, vmm: SimVMM?) {
            self.vm = vm
            self.vmm = vmm
        }
    }

    let index: Int
    let name: HostName
    let disk: SimDisk
    private(set) var folders: [Folder] = []
    /// Nil while it is down.
    var agent: SimAgent?
    var starts = 0

    init(index: Int, name: HostName, disk: SimDisk) {
        self.index = index
        self.name = name
        self.disk = disk
    }

    func add(_ folder: Folder) { folders.append(folder) }

    func remove(_ folder: Folder) { folders.removeAll { $0 === folder } }

    func folder(of vm: SimVM) -> Folder? { folders.last { $0.vm === vm } }
}
