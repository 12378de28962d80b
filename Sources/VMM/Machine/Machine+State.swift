// A machine's state out of it and into it: for a migration as bytes, for a file together with memory.

package import Host
import Model
package import VMControl

extension Machine {
    /// All state but memory. The machine must be paused, and stays so.
    package func saveState() throws(VMMRefusal) -> [UInt8] {
        try withLifecycle { lifecycle throws(VMMRefusal) in
            try Self.requireState(oneOf: [.paused], in: lifecycle, to: "save the state of")
            return try stateBytes()
        }
    }

    /// The machine must be incoming with its memory complete. Returns with it paused and sealed; throws
    /// with it incoming, so that another state can be tried.
    package func loadState(from bytes: [UInt8], advancesTime: Bool = true) throws(VMMRefusal) {
        try withLifecycle { lifecycle throws(VMMRefusal) in
            try Self.requireState(oneOf: [.incoming], in: lifecycle, to: "load a state into")
            do throws(StateError) {
                try hardware.loadSections(
                    StateBlob.decodeSections(from: bytes), advancesTime: advancesTime)
            } catch {
                throw VMMRefusal(code: .badState, part: error.part, detail: error.explanation)
            }
            lifecycle.markLoaded()
        }
    }

    /// Writes the paused machine, memory and all, at the file's current position.
    package func saveMachine(to file: Descriptor) throws(VMMRefusal) {
        try withLifecycle { lifecycle throws(VMMRefusal) in
            try Self.requireState(oneOf: [.paused], in: lifecycle, to: "save")
            let writer = SavedFileWriter(file: file)
            do {
                try writer.writeMachine(
                    header: SavedFileHeader(id: id, spec: spec), state: stateBytes(), memory: memory
                )
            } catch {
                throw typedError(error) { (error: SystemError) in makeRefusal(for: error) }
            }
        }
    }

    private func stateBytes() throws(VMMRefusal) -> [UInt8] {
        do { return StateBlob.encodeSections(try hardware.saveSections()) } catch {
            throw VMMRefusal(
                code: .systemFailure, part: error.part, detail: error.explanation)
        }
    }
}
