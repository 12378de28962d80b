// What a ferry-vmm is told at its start.

package import Model
import VMControl

package struct VMMOptions: Sendable {
    package enum Start: Sendable {
        case boot(kernel: String)
        /// Waits for a migration's state. A kernel is then only for resets.
        case incoming(kernel: String?)
        case restore(file: String, kernel: String?)
    }

    /// Sockets, log and exit.json go here.
    package var directory: String
    package var start: Start
    package var initrd: String?
    /// Nil: what the saved file says, or a new one.
    package var id: VMID?
    package var name: VMName?
    package var memory: ByteCount?
    package var vcpus: Int?
    package var hugePages: Bool
    package var downtimeLimit: Duration?
    package var commandLine: String?
    package var startsPaused: Bool
    /// It runs only for as long as an agent says.
    package var isLeased: Bool
    /// Leave core files and ptrace possible.
    package var isDebuggable: Bool

    package init(directory: String, start: Start) {
        self.directory = directory
        self.start = start
        hugePages = false
        startsPaused = false
        isLeased = false
        isDebuggable = false
    }

    /// The spec of a VM that is not restored.
    func newSpec() throws(MachineError) -> VMSpec {
        guard let name else { throw .specification("give the VM a --name") }
        guard let memory else { throw .specification("say how much --memory the VM has") }
        return VMSpec(
            name: name, memory: memory, vcpus: vcpus ?? 1, hugePages: hugePages,
            downtimeLimit: downtimeLimit ?? VMSpec.downtimeLimitDefault,
            commandLine: commandLine ?? "", isLeased: isLeased)
    }

    /// A saved VM as it is to be restored: its size is the file's, and options may only repeat it; its
    /// identity, name, downtime limit and kind of pages may be others here. (Another identity is what keeps a
    /// saved VM and the one it was saved from apart.)
    func adapted(_ saved: SavedFileHeader) throws(MachineError) -> SavedFileHeader {
        func check<Value: Equatable>(
            _ option: String, _ given: Value?, _ saved: Value
        ) throws(MachineError) {
            if let given, given != saved {
                throw .savedFile(
                    .contradiction(
                        "the file holds a VM with \(option) \(saved), which --\(option) \(given) contradicts"
                    ))
            }
        }
        try check("memory", memory, saved.spec.memory)
        try check("vcpus", vcpus, saved.spec.vcpus)
        try check("command-line", commandLine, saved.spec.commandLine)
        var header = saved
        header.id = id ?? saved.id
        header.spec.name = name ?? saved.spec.name
        header.spec.downtimeLimit = downtimeLimit ?? saved.spec.downtimeLimit
        header.spec.isLeased = isLeased
        header.spec.hugePages = hugePages || saved.spec.hugePages
        return header
    }
}
