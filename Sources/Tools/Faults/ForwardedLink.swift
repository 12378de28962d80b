// The link of a cluster on loopback: each host reaches the other through a forwarder here, which can fall silent.
//
// To the hosts a silent forwarder looks like a network that swallows packets, but for one thing: what was sent is
// acknowledged until its buffers are full. The links in network namespaces do without that.

import Host
import Synchronization

final class ForwardedLink: Link {
    private let forwarders: [String: Forwarder]

    /// - Parameter peers: where each host takes migrations.
    init(_ peers: [String: SocketAddress]) throws(SystemError) {
        var forwarders: [String: Forwarder] = [:]
        for (host, address) in peers { forwarders[host] = try Forwarder(to: address) }
        self.forwarders = forwarders
    }

    /// Where others must dial to reach a host.
    func forwarderAddress(host: String) -> SocketAddress? { forwarders[host]?.address }

    func cutTraffic(direction: CutDirection, source: String) {
        for (host, forwarder) in forwarders {
            // Connections to the source's forwarder were opened by the destination.
            let isFromSource = host != source
            forwarder.setSilent(
                inward: direction == .both || (direction == .toDestination) == isFromSource,
                outward: direction == .both || (direction == .toSource) == isFromSource)
        }
    }

    func restoreTraffic() {
        for forwarder in forwarders.values { forwarder.setSilent(inward: false, outward: false) }
    }

    func resetConnections() { for forwarder in forwarders.values { forwarder.resetConnections() } }

    func tearDown() { for forwarder in forwarders.values { forwarder.stopForwarding() } }
}

/// Passes connections on to one address.
private final class Forwarder: Sendable {
    private static let bufferBytes = 256 << 10
    private static let connect = Duration.seconds(2)
    private static let acceptTick = Duration.milliseconds(50)

    private struct State: Sendable {
        var isSilentInward = false
        var isSilentOutward = false
        var isEnding = false
        var sockets: [Descriptor] = []
        var pipes = 0
    }

    private let listener: Descriptor
    private let target: SocketAddress
    private let state = Monitor(State())
    private let acceptor = Mutex<NamedThread?>(nil)
    let address: SocketAddress

    init(to target: SocketAddress) throws(SystemError) {
        self.target = target
        listener = try TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0))
        address = SocketAddress(ip: "127.0.0.1", port: try TCPSocket.boundPort(of: listener))
        let thread = try NamedThread(name: "forwarder") { [self] in acceptUntilEnd() }
        acceptor.withLock { $0 = thread }
    }

    func setSilent(inward: Bool, outward: Bool) {
        state.updateState {
            $0.isSilentInward = inward
            $0.isSilentOutward = outward
        }
    }

    func resetConnections() {
        let sockets = state.updateState { state in
            defer { state.sockets = [] }
            return state.sockets
        }
        for socket in sockets {
            socket.resetWhenClosed()
            socket.shutDownSocket()
        }
    }

    func stopForwarding() {
        state.updateState { $0.isEnding = true }
        acceptor.withLock { $0.take() }?.joinThread()
        resetConnections()
        _ = state.waitForValue { $0.pipes == 0 ? true : nil }
    }

    private func acceptUntilEnd() {
        while !state.readValue(of: \.isEnding) {
            // One that cannot be taken or passed on is closed: the peer sees a reset.
            guard
                let client = try? TCPSocket.acceptConnection(on: listener, within: Self.acceptTick),
                let server = try? TCPSocket.openConnection(to: target, within: Self.connect)
            else { continue }
            state.updateState { state in
                state.sockets.removeAll { $0.isClosedByBothEnds }
                state.sockets += [client, server]
            }
            startForwarding(from: client, to: server, isInward: true)
            startForwarding(from: server, to: client, isInward: false)
        }
    }

    private func startForwarding(from: Descriptor, to: Descriptor, isInward: Bool) {
        state.updateState { $0.pipes += 1 }
        let pipe = { @Sendable [self] in
            defer { state.updateState { $0.pipes -= 1 } }
            // An error at either end is the end of both; a plain end is passed on.
            guard copyBytes(from: from, to: to, isInward: isInward) else {
                from.shutDownSocket()
                return to.shutDownSocket()
            }
            to.endWriting()
        }
        do { try NamedThread(name: "pipe", body: pipe).detachThread() } catch { pipe() }
    }

    /// Returns at the end of what comes; false when it broke.
    private func copyBytes(from: Descriptor, to: Descriptor, isInward: Bool) -> Bool {
        var bytes = [UInt8](repeating: 0, count: Self.bufferBytes)
        while true {
            let count = unsafe bytes.withUnsafeMutableBytes {
                (try? unsafe from.readAvailable(into: $0)) ?? -1
            }
            _ = state.waitForValue { state in
                let isSilent = isInward ? state.isSilentInward : state.isSilentOutward
                return !isSilent || state.isEnding ? true : nil
            }
            if count <= 0 { return count == 0 }
            let isWritten = unsafe bytes.withUnsafeBytes {
                (try? unsafe to.writeAllBytes(of: UnsafeRawBufferPointer(rebasing: $0[..<count])))
                    != nil
            }
            guard isWritten else { return false }
        }
    }
}
