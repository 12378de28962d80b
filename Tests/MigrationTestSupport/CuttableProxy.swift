// A TCP proxy that can cut every connection, at once or after so many bytes, and refuse new ones until it is mended.

import Glibc
package import Host
import Synchronization

/// Stands between a source and a destination.
package final class CuttableProxy: Sendable {
    private struct State {
        var sockets: [(client: Descriptor, server: Descriptor)] = []
        /// Bytes from clients to the server, and how many of them are let through before the next cuts.
        var forwarded = 0
        var cuts: [Int] = []
        var isSilent = false
        var threads: [NamedThread] = []
        var isCut = false
        var isEnding = false
        var isStalled = false
    }

    private let listener: Descriptor
    private let target: SocketAddress
    private let state = Mutex(State())
    /// Set when a pipe has found that it must stand still.
    private let stalled: Wakeup
    /// Set when pipes may go on.
    private let released: Wakeup
    package let address: SocketAddress

    package init(to target: SocketAddress) throws {
        self.target = target
        stalled = try Wakeup()
        released = try Wakeup()
        listener = try TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0))
        address = SocketAddress(ip: "127.0.0.1", port: try TCPSocket.boundPort(of: listener))
        let thread = try NamedThread(name: "proxy") { [self] in acceptUntilEnd() }
        state.withLock { $0.threads.append(thread) }
    }

    /// Cuts what is connected. New connections are closed at once unless `mended`.
    package func cut(mended: Bool) {
        let sockets = state.withLock { state in
            state.isCut = !mended
            defer { state.sockets = [] }
            return state.sockets
        }
        for (client, server) in sockets {
            client.shutDownSocket()
            server.shutDownSocket()
        }
    }

    /// Cuts, and is mended at once, each time that so many bytes in all have come from clients.
    package func cut(after bytes: [Int]) { state.withLock { $0.cuts = bytes } }

    package var forwarded: Int { state.withLock { $0.forwarded } }

    /// Clients see a cut, the server sees nothing at all. New connections are served.
    package func cutSilently() {
        let sockets = state.withLock { state in
            state.isSilent = true
            return state.sockets
        }
        for (client, _) in sockets { client.shutDownSocket() }
    }

    /// From now on nothing is forwarded, and nothing is closed.
    package func stall() { state.withLock { $0.isStalled = true } }

    /// Waits until something was held back.
    package func waitForStall() { _ = try? stalled.waitUntilSet(before: .now + .seconds(10)) }

    package func mend() { state.withLock { $0.isCut = false } }

    /// Ends all threads.
    package func end() {
        state.withLock { $0.isEnding = true }
        released.setFlag()
        cut(mended: false)
        while true {
            let threads = state.withLock { state in
                defer { state.threads = [] }
                return state.threads
            }
            if threads.isEmpty { return }
            for thread in threads { thread.joinThread() }
        }
    }

    private func acceptUntilEnd() {
        while !state.withLock({ $0.isEnding }) {
            guard
                let client = try? TCPSocket.acceptConnection(
                    on: listener, within: .milliseconds(50))
            else {
                continue
            }
            if state.withLock({ $0.isCut || $0.isEnding }) { continue }
            guard let server = try? TCPSocket.openConnection(to: target, within: .seconds(2)) else {
                continue
            }
            state.withLock { $0.sockets.append((client, server)) }
            forward(client, server, isUp: true)
            forward(server, client, isUp: false)
        }
    }

    /// True when these bytes are the first beyond the place of the next cut.
    private func isCutDue(_ count: Int) -> Bool {
        state.withLock {
            $0.forwarded += count
            guard let next = $0.cuts.first, $0.forwarded >= next else { return false }
            $0.cuts.removeFirst()
            return true
        }
    }

    private func forward(_ from: Descriptor, _ to: Descriptor, isUp: Bool) {
        let thread = try? NamedThread(name: "proxy-pipe") {
            var bytes = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = unsafe bytes.withUnsafeMutableBytes {
                    (try? unsafe from.readAvailable(into: $0)) ?? 0
                }
                if self.state.withLock({ $0.isStalled }) {
                    self.stalled.setFlag()
                    _ = try? self.released.waitUntilSet(before: .now + .seconds(20))
                }
                if isUp, count > 0, self.isCutDue(count) { self.cut(mended: true) }
                guard count > 0, (try? to.writeAllBytes(Array(bytes.prefix(count)))) != nil else {
                    break
                }
            }
            if !self.state.withLock({ $0.isSilent && !$0.isEnding }) {
                _ = Glibc.shutdown(to.number, Int32(SHUT_WR))
            }
        }
        state.withLock {
            if let thread { $0.threads.append(thread) }
        }
    }
}
