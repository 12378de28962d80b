// A machine's state out of it and into it: for a migration as bytes, for a file together with memory.

package import Host
import Model
package import VMControl

extension Machine {
    /// All state but memory. The machine must be paused, and stays so.
    package func saveState() throws(VMMRefusal) -> [UInt8] {
        try perform { lifecycle throws(VMMRefusal) in
            try Self.require([.paused], lifecycle, to: "save the state of")
            return try stateBytes()
        }
    }

    /// The machine must be incoming with its memory complete. Returns with it paused and sealed; throws
    /// with it incoming, so that another state can be tried.
    package func loadState(_ bytes: [UInt8], advancesTime: Bool = true) throws(VMMRefusal) {
        try perform { lifecycle throws(VMMRefusal) in
            try Self.require([.incoming], lifecycle, to: "load a state into")
            do throws(StateError) {
                try hardware.load(StateBlob.decode(bytes), advancesTime: advancesTime)
            } catch {
                throw VMMRefusal(code: .badState, part: error.part, detail: error.explanation)
            }
            lifecycle.loaded()
        }
    }

    /// Writes the paused machine, memory and all, at the file's current position.
    package func save(to file: Descriptor) throws(VMMRefusal) {
        try perform { lifecycle throws(VMMRefusal) in
            try Self.require([.paused], lifecycle, to: "save")
            let writer = SavedFileWriter(file: file)
            do {
                try writer.write(
                    SavedFileHeader(id: id, spec: spec), state: stateBytes(), memory: memory)
            } catch {
                throw typedError(error) { (error: SystemError) in refusal(error) }
            }
        }
    }

    private func stateBytes() throws(VMMRefusal) -> [UInt8] {
        do { return StateBlob.encode(try hardware.save()) } catch {
            throw VMMRefusal(
                code: .systemFailure, part: error.part, detail: error.explanation)
        }
    }
}
