// A machine from a saved VM's file.

package import KVM
import Synchronization
package import VMControl

extension Machine {
    /// Builds the machine that the file describes, paused where it was saved.
    ///
    /// - Parameters:
    ///   - header: the file's own, perhaps with another name or kind of pages.
    ///   - boot: for resets only.
    package convenience init(
        restoring file: SavedFileReader, as header: SavedFileHeader, boot: BootSource?,
        system: KVMSystem,
        console: @escaping @Sendable (UInt8) -> Void
    ) throws(MachineError) {
        let configuration = MachineConfiguration(
            id: header.id, spec: header.spec, boot: boot)
        try self.init(configuration, incoming: true, system: system, console: console)
        do {
            try file.readMemory(into: memory.mapping, layout: memory.layout)
        } catch {
            stopAllThreads()
            throw .savedFile(error)
        }
        do {
            // A file may be old: the guest's clocks go on from where they stood.
            let sections = try StateBlob.decodeSections(from: file.state)
            try lifecycle.withLock { (lifecycle) throws(StateError) in
                try hardware.loadSections(sections, advancesTime: false)
                lifecycle.markRestored()
            }
            handleGuestRequest()
        } catch {
            stopAllThreads()
            throw .state(error)
        }
    }
}
