// Watches a guest's serial console from outside: every line with the moment it arrived here.

package import Host
import Glibc
import Synchronization

/// One line of a console and when its end arrived.
package struct ConsoleLine: Sendable {
    package let arrival: Instant
    package let text: String
}

/// Reads the console sockets of one guest, on every host it visits, into one list in order of arrival.
///
/// A thread a socket; it ends when the socket does. Recording has a bound: `linesMax`.
package final class ConsoleRecorder: Sendable {
    private static let linesMax = 1 << 20
    private static let lineBytesMax = 4096

    private let state = Mutex<[ConsoleLine]>([])

    package init() {}

    package var lines: [ConsoleLine] { state.withLock { $0 } }

    /// Starts to read from a Unix socket whose path may not exist yet: tried again every few milliseconds.
    ///
    /// - Parameter until: read between tries and waits; true ends the thread.
    package func record(
        socketPath: String, until isOver: @escaping @Sendable () -> Bool
    ) throws(SystemError) -> NamedThread {
        try NamedThread(name: "console") { [self] in
            while !isOver() {
                if let socket = try? UnixSocket.connect(to: socketPath) {
                    read(socket, until: isOver)
                }
                // Not there yet, or gone: a host that the guest has not reached, or has left.
                _ = poll(nil, 0, 2)
            }
        }
    }

    private func read(_ socket: Descriptor, until isOver: () -> Bool) {
        var rest: [UInt8] = []
        while !isOver() {
            do {
                guard try socket.waitReadable(within: .milliseconds(50)) else { continue }
                let bytes = try UnixSocket.receive(upTo: 4096, on: socket).bytes
                if bytes.isEmpty { return }
                append(bytes, to: &rest, at: .now)
            } catch {
                return  // The guest's process has ended: the same as an end of file.
            }
        }
    }

    private func append(_ bytes: [UInt8], to rest: inout [UInt8], at arrival: Instant) {
        rest += bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let text = String(decoding: rest[..<end].filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
            rest.removeFirst(end + 1)
            state.withLock {
                if $0.count < Self.linesMax { $0.append(ConsoleLine(arrival: arrival, text: text)) }
            }
        }
        if rest.count > Self.lineBytesMax { rest.removeAll() }
    }
}
