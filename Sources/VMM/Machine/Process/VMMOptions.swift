// What the start of a ferry-vmm says.

package import Model
import VMControl

package struct VMMOptions: Sendable {
    package enum Start: Sendable {
        case boot(kernel: String)
        /// Waits for a migration's state. A kernel is then only for resets.
        case incoming(kernel: String?)
        case restore(file: String, kernel: String?)
    }

    /// Makes the VM's spec; of a VM that is restored from the one that was saved.
    package typealias SpecSource =
        @Sendable (_ saved: VMSpec?) throws(MachineError) -> VMSpec

    /// Sockets, log and exit.json go here.
    package var directory: String
    package var start: Start
    package var spec: SpecSource
    package var initrd: String?
    /// Nil: what the saved file says, or a new one.
    package var id: VMID?
    package var startsPaused: Bool
    /// Leave core files and ptrace possible.
    package var isDebuggable: Bool

    package init(directory: String, start: Start, spec: @escaping SpecSource) {
        self.directory = directory
        self.start = start
        self.spec = spec
        startsPaused = false
        isDebuggable = false
    }
}

extension SavedFileHeader {
    /// The saved VM as it is to be restored: its size is the file's, and the spec may only repeat it; its identity,
    /// name, downtime limit and kind of pages may be others here. (Another identity is what keeps a saved VM and the
    /// one that it was saved from apart.)
    func restoredHeader(as spec: VMSpec, id: VMID?) throws(MachineError) -> SavedFileHeader {
        func requireMatch<Value: Equatable>(
            option: String, given: Value, saved: Value
        ) throws(MachineError) {
            guard given != saved else { return }
            throw .savedFile(
                .contradiction(
                    "the file holds a VM with \(option) \(saved), which --\(option) \(given) contradicts"
                ))
        }
        try requireMatch(option: "memory", given: spec.memory, saved: self.spec.memory)
        try requireMatch(option: "vcpus", given: spec.vcpus, saved: self.spec.vcpus)
        try requireMatch(
            option: "command-line", given: spec.commandLine ?? "",
            saved: self.spec.commandLine ?? "")
        return SavedFileHeader(id: id ?? self.id, spec: spec)
    }
}
