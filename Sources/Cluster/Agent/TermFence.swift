// The highest term of a controller that this agent has heard of, in STATE/term: whoever commands in a lower one was
// deposed. It is on the disk before anything is done in it, so that an agent that starts again does not go back.

package import Host
import Synchronization

package final class TermFence: Sendable {
    private struct State {
        var heard: UInt64
        var written: UInt64
    }

    private let path: String
    private let state: Mutex<State>

    /// Reads what an earlier agent heard.
    package init(path: String) throws(TermFileError) {
        self.path = path
        let term = try Self.read(path)
        state = Mutex(State(heard: term, written: term))
    }

    private static func read(_ path: String) throws(TermFileError) -> UInt64 {
        guard File.isThere(path) else { return 0 }
        let bytes: [UInt8]
        do { bytes = try File.read(path, limit: 32) } catch { throw .unreadable(error) }
        let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard let term = UInt64(text) else { throw .notATerm(path: path) }
        return term
    }

    package var term: UInt64 { state.withLock { $0.heard } }

    /// Returns when the term is the highest heard, and written. Blocks.
    package func hear(_ term: UInt64) throws(TermError) {
        // The lock is held over the write on purpose: a lower term must not overwrite a higher one.
        try state.withLock { (state) throws(TermError) in
            guard term >= state.heard else { throw .stale(term, heard: state.heard) }
            state.heard = term
            guard state.written < term else { return }
            do throws(SystemError) {
                try AtomicFile.write(Array("\(term)\n".utf8), to: path, mode: 0o600)
            } catch { throw .notWritten(error) }
            state.written = term
        }
    }
}

package enum TermError: Error, Hashable, Sendable, CustomStringConvertible {
    case stale(UInt64, heard: UInt64)
    /// It counts for as long as this agent lives; nothing may be done in it that must outlive that.
    case notWritten(SystemError)

    package var description: String {
        switch self {
        case .stale(let term, let heard):
            "the controller commands in term \(term), and this agent has heard of term \(heard)"
        case .notWritten(let error): "the controller's term cannot be written down: \(error)"
        }
    }
}

package enum TermFileError: Error, Sendable, CustomStringConvertible {
    case unreadable(SystemError)
    case notATerm(path: String)

    package var description: String {
        switch self {
        case .unreadable(let error): "the controllers' term cannot be read: \(error)"
        case .notATerm(let path):
            "\(path) holds no term: put it back as it was, or write the number of the controllers' present term into it"
        }
    }
}
