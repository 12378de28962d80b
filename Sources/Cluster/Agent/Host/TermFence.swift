// The highest term of a controller that this agent has received, in STATE/term. A controller with a lower term is not
// the leader any more. The term is on disk before a request of that term is carried out, so that an agent that starts
// again does not accept a lower one.

package import Host
import Synchronization

package final class TermFence: Sendable {
    private struct State {
        var highest: UInt64
        var written: UInt64
    }

    private let path: String
    private let state: Mutex<State>

    /// Reads the term that an earlier agent wrote.
    package init(path: String) throws(TermFileError) {
        self.path = path
        let term = try Self.readStoredTerm(at: path)
        state = Mutex(State(highest: term, written: term))
    }

    private static func readStoredTerm(at path: String) throws(TermFileError) -> UInt64 {
        guard File.isPresent(at: path) else { return 0 }
        let bytes: [UInt8]
        do { bytes = try File.readContents(at: path, limit: 32) } catch { throw .unreadable(error) }
        let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard let term = UInt64(text) else { throw .notATerm(path: path) }
        return term
    }

    package var term: UInt64 { state.withLock { $0.highest } }

    /// Returns when the term is the highest received, and written. Blocks.
    package func acceptTerm(_ term: UInt64) throws(TermError) {
        // The lock is held during the write on purpose: a lower term must not overwrite a higher one.
        try state.withLock { (state) throws(TermError) in
            guard term >= state.highest else { throw .stale(term, highest: state.highest) }
            state.highest = term
            guard state.written < term else { return }
            do throws(SystemError) {
                try AtomicFile.writeBytes(Array("\(term)\n".utf8), to: path, mode: 0o600)
            } catch { throw .notWritten(error) }
            state.written = term
        }
    }
}

package enum TermError: Error, Hashable, Sendable, CustomStringConvertible {
    case stale(UInt64, highest: UInt64)
    /// This agent keeps to the term until it ends, but may not carry out requests of it.
    case notWritten(SystemError)

    package var description: String {
        switch self {
        case .stale(let term, let highest):
            "the controller's term is \(term), and this agent has received term \(highest)"
        case .notWritten(let error): "the controller's term cannot be written: \(error)"
        }
    }
}

package enum TermFileError: Error, Sendable, CustomStringConvertible {
    case unreadable(SystemError)
    case notATerm(path: String)

    package var description: String {
        switch self {
        case .unreadable(let error): "the file with the controllers' term cannot be read: \(error)"
        case .notATerm(let path):
            "\(path) contains no term: restore the file, or write the number of the controllers' current term into it"
        }
    }
}
