// The host's clock, sockets and threads, and mutual TLS with its peers.

import Glibc
package import Host
import Model
package import PeerLink

/// The runtime of migrations outside of simulations.
final class SystemRuntime: MigrationRuntime {
    private let keys: PeerKeys

    init(keys: PeerKeys) { self.keys = keys }

    var now: Instant { .now }

    func makeWakeFlag() throws(SystemError) -> any WakeFlag { try Wakeup() }

    func startThread(
        name: String, nice: Int32, body: @escaping @Sendable () -> Void
    ) throws(SystemError) -> any RunningThread {
        try NamedThread(name: name, nice: nice, body: body)
    }

    func lowerPriority(nice: Int32) { NamedThread.setNiceValue(to: nice) }

    func randomWord() -> UInt64 { .random(in: .min ... .max) }

    func openConnection(
        to peer: PeerAddress, within limit: Duration, silenceMax: Duration,
        interruptedBy flag: any WakeFlag
    ) throws(LinkError) -> any Link {
        try PeerConnection.openConnection(
            to: peer.address, expecting: .agent(peer.name), keys: keys, within: limit,
            silenceMax: silenceMax, interruptedBy: flag.wakeup)
    }
}

extension NamedThread: RunningThread {}

extension Wakeup: WakeFlag {}

extension WakeFlag {
    /// The form that poll can wait for. Flags and links of two runtimes are never mixed.
    fileprivate var wakeup: Wakeup {
        guard let wakeup = self as? Wakeup else {
            fatalError("the flag belongs to another runtime")
        }
        return wakeup
    }
}

extension PeerConnection: Link {
    package func setInterruptFlag(_ flag: any WakeFlag) { setInterruptWakeup(flag.wakeup) }

    package func waitForInput(
        wakingOn news: any WakeFlag, until end: Instant
    ) throws(LinkError) -> WaitResult {
        try waitForInput(wakingOn: news.wakeup, until: end)
    }
}

/// A listening TCP socket; accepted clients must complete a TLS handshake.
final class SystemListener: LinkListener {
    private let socket: Descriptor
    private let keys: PeerKeys

    init(_ socket: Descriptor, keys: PeerKeys) {
        self.socket = socket
        self.keys = keys
    }

    var cluster: ClusterName { keys.identity.cluster }

    func acceptArrival(
        wakingOn flag: any WakeFlag, until end: Instant
    ) throws(SystemError) -> (any ArrivingLink)? {
        guard try socket.waitForEvents(POLLIN, interruptedBy: flag.wakeup, until: end) == .ready,
            let client = try TCPSocket.acceptConnection(on: socket, within: .zero)
        else { return nil }
        return SystemArrival(client, keys: keys)
    }
}

private final class SystemArrival: ArrivingLink {
    private let socket: Descriptor
    private let keys: PeerKeys

    init(_ socket: Descriptor, keys: PeerKeys) {
        self.socket = socket
        self.keys = keys
    }

    func completeHandshake(
        silenceMax: Duration, interruptedBy flag: any WakeFlag
    ) throws(LinkError) -> any Link {
        try PeerConnection.acceptConnection(
            on: socket, keys: keys, silenceMax: silenceMax, interruptedBy: flag.wakeup)
    }
}
