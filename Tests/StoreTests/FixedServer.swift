// A server that says the same to everybody and hangs up.

import Host

final class FixedServer: Sendable {
    let address: SocketAddress
    private let end: Wakeup
    private let thread: NamedThread

    init(answer: String) throws {
        let listener = try TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0))
        address = SocketAddress(ip: "127.0.0.1", port: try TCPSocket.boundPort(of: listener))
        let end = try Wakeup()
        self.end = end
        thread = try NamedThread(name: "fixed-server") {
            while (try? end.waitUntilSet(before: .now)) == false {
                guard
                    let client = try? TCPSocket.acceptConnection(
                        on: listener, within: .milliseconds(20))
                else { continue }
                // Whether the client hears it is what the test is about.
                _ = try? client.readAvailable(upTo: 64 << 10)
                try? client.writeAllBytes(Array(answer.utf8))
                client.shutDownSocket()
            }
        }
    }

    deinit {
        end.setFlag()
        thread.joinThread()
    }
}
