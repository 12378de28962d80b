// Watches a guest's serial console from outside: every line with the moment it arrived here.
//
// A guest that moves goes on in the middle of a line: the line's first half comes from one host, its second from
// another. So one thread reads all sockets into one text, and reads what is left on the socket that spoke last
// before it listens to another.

package import Host
import Glibc
import Synchronization

/// One line of a console and when its end arrived.
package struct ConsoleLine: Sendable {
    package let arrival: Instant
    package let text: String
}

/// Reads the console sockets of one guest, on every host it visits, in order. Call `end` when done.
package final class ConsoleRecorder: Sendable {
    private static let linesMax = 1 << 20
    private static let lineBytesMax = 4096
    private static let interval: Int32 = 2

    private let recorded = Mutex<[ConsoleLine]>([])
    private let isOver = Atomic(false)
    private let thread = Mutex<NamedThread?>(nil)

    /// - Parameter socketPaths: one a host; they need not exist yet, and may go and come again.
    package init(socketPaths: [String]) throws(SystemError) {
        let started = try NamedThread(name: "console") { [self] in recordLines(from: socketPaths) }
        thread.withLock { $0 = started }
    }

    package var lines: [ConsoleLine] { recorded.withLock { $0 } }

    package func stopRecording() {
        isOver.store(true, ordering: .releasing)
        thread.withLock { thread in
            thread?.joinThread()
            thread = nil
        }
    }

    private func recordLines(from paths: [String]) {
        var sockets = [Descriptor?](repeating: nil, count: paths.count)
        var speaker = 0
        var rest: [UInt8] = []
        while !isOver.load(ordering: .acquiring) {
            for index in paths.indices where sockets[index] == nil {
                // Not there yet, or gone: a host that the guest has not reached, or has left.
                sockets[index] = try? UnixSocket.openConnection(to: paths[index])
            }
            guard waitForInput(on: sockets) else { continue }
            let others = paths.indices.filter { $0 != speaker }
            for index in [speaker] + others {
                guard let socket = sockets[index], hasPendingInput(on: socket) else { continue }
                if receiveBytes(from: socket, into: &rest) {
                    speaker = index
                } else {
                    sockets[index] = nil
                }
                break
            }
        }
    }

    /// True when a socket has something to say, or has ended.
    private func waitForInput(on sockets: [Descriptor?]) -> Bool {
        var entries = sockets.map { socket in
            pollfd(fd: socket?.number ?? -1, events: Int16(POLLIN), revents: 0)
        }
        return unsafe poll(&entries, nfds_t(entries.count), Self.interval) > 0
    }

    private func hasPendingInput(on socket: Descriptor) -> Bool {
        (try? socket.waitReadable(within: .zero)) ?? true
    }

    /// False at the socket's end.
    private func receiveBytes(from socket: Descriptor, into rest: inout [UInt8]) -> Bool {
        // An error is the end too: the guest's process is gone.
        guard let bytes = try? UnixSocket.receiveBytes(upTo: 4096, on: socket).bytes, !bytes.isEmpty
        else { return false }
        appendBytes(bytes, to: &rest, at: .now)
        return true
    }

    private func appendBytes(_ bytes: [UInt8], to rest: inout [UInt8], at arrival: Instant) {
        rest += bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let text = String(
                decoding: rest[..<end].filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
            rest.removeFirst(end + 1)
            recorded.withLock {
                if $0.count < Self.linesMax { $0.append(ConsoleLine(arrival: arrival, text: text)) }
            }
        }
        if rest.count > Self.lineBytesMax { rest.removeAll() }
    }
}
