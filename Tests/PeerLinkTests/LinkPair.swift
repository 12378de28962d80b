// Two ends of a connection on loopback, each on its own thread.

import Host
import MigrationTestSupport
import Model
import PeerLink
import Synchronization

/// What one end came to.
typealias LinkResult = Result<PeerConnection, LinkError>

/// A value that another thread makes.
final class Later<Value: Sendable>: Sendable {
    private let box: Box<Value>
    private let thread: NamedThread

    init(_ make: @escaping @Sendable () -> Value) throws {
        let box = Box<Value>()
        thread = try NamedThread(name: "later") { box.value.withLock { $0 = make() } }
        self.box = box
    }

    /// Waits for it. Call once.
    func get() throws -> Value {
        thread.joinThread()
        guard let value = box.value.withLock({ $0 }) else { throw TestFailure("no value") }
        return value
    }
}

private final class Box<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
}

func name(_ text: String) -> HostName {
    do { return try HostName(text) } catch { fatalError("\(error)") }
}

/// A listener on a free port.
func listen() throws -> (listener: Descriptor, address: SocketAddress) {
    let listener = try TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0))
    return (listener, SocketAddress(ip: "127.0.0.1", port: try TCPSocket.boundPort(of: listener)))
}

/// Accepts one connection.
func accept(
    on listener: Descriptor, _ keys: PeerKeys, silenceMax: Duration = .seconds(5)
) -> LinkResult {
    do {
        guard let socket = try TCPSocket.acceptConnection(on: listener, within: .seconds(10)) else {
            return .failure(.timedOut(after: .seconds(10)))
        }
        return .success(
            try PeerConnection.acceptConnection(
                on: socket, keys: keys, silenceMax: silenceMax, interruptedBy: Wakeup()))
    } catch let error as LinkError {
        return .failure(error)
    } catch {
        return .failure(.tls(detail: "\(error)"))
    }
}

func connect(
    to address: SocketAddress, _ expected: ExpectedPeer, _ keys: PeerKeys,
    silenceMax: Duration = .seconds(5), wakeup: Wakeup? = nil
) -> LinkResult {
    do {
        return .success(
            try PeerConnection.openConnection(
                to: address, expecting: expected, keys: keys, within: .seconds(5),
                silenceMax: silenceMax, interruptedBy: wakeup ?? Wakeup()))
    } catch let error as LinkError {
        return .failure(error)
    } catch {
        return .failure(.tls(detail: "\(error)"))
    }
}

/// Both ends of one connection.
func pair(
    client: PeerKeys, server: PeerKeys, expecting expected: ExpectedPeer = .anyAgent,
    silenceMax: Duration = .seconds(5)
) throws -> (client: LinkResult, server: LinkResult) {
    let (listener, address) = try listen()
    let accepted = try Later { accept(on: listener, server, silenceMax: silenceMax) }
    let connected = connect(to: address, expected, client, silenceMax: silenceMax)
    return (connected, try accepted.get())
}

extension Result {
    var error: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
