// One end of a simulated connection, as a kernel keeps it: what arrived, what is under way, how it ended.

import Glibc
import Host
import MigrationProtocol
import Model
import PeerLink

final class Endpoint {
    enum End {
        /// The peer said goodbye.
        case closed
        /// Its end came without a word.
        case cut
    }

    let host: Int
    let process: SimProcess
    let identity: Identity
    unowned let network: SimNetwork
    unowned var connection: Connection
    let out: Lane
    let back: Lane
    /// Woken by everything that changes here.
    let point = WaitPoint()

    private var inbox: [[UInt8]] = []
    private var inboxOffset = 0
    private(set) var end: End?
    private(set) var failure: LinkError?
    var isConnected = false
    private(set) var isClosed = false
    private(set) var isReleased: Bool
    /// Bytes that the other end has not taken yet.
    private(set) var unacknowledged = 0
    /// Bytes that have not arrived yet.
    private(set) var underWay = 0
    /// The kernel gives up on a peer that does not acknowledge for so long.
    var deadPeerAfter: Duration

    init(
        _ network: SimNetwork, _ connection: Connection, host: Int, process: SimProcess,
        identity: Identity, out: Lane, back: Lane, deadPeerAfter: Duration, isThere: Bool
    ) {
        isReleased = !isThere
        self.network = network
        self.connection = connection
        self.host = host
        self.process = process
        self.identity = identity
        self.out = out
        self.back = back
        self.deadPeerAfter = deadPeerAfter
    }

    private var other: Endpoint {
        connection.client === self ? connection.server : connection.client
    }

    /// The server's end: it begins when a client has knocked.
    func begin() {
        isReleased = false
        isConnected = true
    }

    // MARK: What the owner sees

    var space: Int { max(0, network.bufferBytes - unacknowledged) }
    var hasInput: Bool { !inbox.isEmpty }
    /// There is something to receive, if only an end.
    var isReadable: Bool { hasInput || end != nil || failure != nil }

    /// Takes what fits; at most `space`.
    func push(_ bytes: [UInt8]) {
        unacknowledged += bytes.count
        underWay += bytes.count
        // It keeps the connection until it has arrived.
        out.send(bytes: bytes.count) { [self, connection] in
            underWay -= bytes.count
            point.wakeAll()
            connection.other(of: self).arrived(bytes)
        }
    }

    /// Moves input to the buffer; returns how much.
    func take(into buffer: inout MutableRawSpan, from start: Int) -> Int {
        var place = start
        while place < buffer.byteCount, let first = inbox.first {
            let count = min(first.count - inboxOffset, buffer.byteCount - place)
            unsafe buffer.withUnsafeMutableBytes { target in
                unsafe first.withUnsafeBytes { source in
                    unsafe target.baseAddress?.advanced(by: place).copyMemory(
                        from: source.baseAddress!.advanced(by: inboxOffset), byteCount: count)
                }
            }
            place += count
            inboxOffset += count
            if inboxOffset == first.count {
                inbox.removeFirst()
                inboxOffset = 0
            }
        }
        if place > start { acknowledge(place - start) }
        return place - start
    }

    func dropInput() {
        let count = inbox.reduce(0) { $0 + $1.count } - inboxOffset
        inbox = []
        inboxOffset = 0
        if count > 0 { acknowledge(count) }
    }

    private func acknowledge(_ count: Int) {
        let other = other
        // Acknowledgements that cannot pass come with the first that can.
        if out.isBlocked {
            out.send(bytes: 0) { [connection] in
                other.acknowledged(count)
                withExtendedLifetime(connection) {}
            }
        } else {
            other.acknowledged(count)
        }
    }

    private func acknowledged(_ count: Int) {
        unacknowledged -= count
        point.wakeAll()
    }

    /// Says goodbye, or ends without a word.
    func close(_ end: End) {
        guard !isClosed, failure == nil else { return }
        isClosed = true
        out.send(bytes: 0) { [self, connection] in connection.other(of: self).ended(end) }
    }

    /// Nobody owns it any more: the kernel ends the connection.
    func release() {
        guard !isReleased else { return }
        isReleased = true
        let hadInput = hasInput
        dropInput()
        if hadInput { reset() } else { close(.cut) }
        connection.endReleased()
    }

    /// Its host is gone, and says nothing.
    func vanish() {
        guard !isReleased else { return }
        isReleased = true
        isClosed = true
        inbox = []
        out.drop()
        connection.endReleased()
    }

    // MARK: What the network does

    private func arrived(_ bytes: [UInt8]) {
        if isReleased { return connection.isHostGone(host) ? () : reset() }
        guard failure == nil, end == nil else { return }
        inbox.append(bytes)
        point.wakeAll()
    }

    private func ended(_ end: End) {
        guard !isReleased, self.end == nil else { return }
        self.end = end
        point.wakeAll()
    }

    /// Tells the other end that there is nobody here.
    private func reset() {
        isClosed = true
        out.send(bytes: 0) { [self, connection] in
            connection.other(of: self).fail(
                .broken(SystemError(call: "recv", code: ECONNRESET)))
        }
    }

    func fail(_ error: LinkError) {
        guard failure == nil, !isReleased else { return }
        failure = error
        out.drop()
        point.wakeAll()
    }
}

/// Two ends. It lives until both are released and nothing is under way.
final class Connection {
    let number: Int
    /// What the client said that it is for; nil before.
    var purpose: ConnectionPurpose?
    var isWelcomed = false
    private unowned let network: SimNetwork
    private(set) var client: Endpoint! = nil
    private(set) var server: Endpoint! = nil

    init(number: Int, network: SimNetwork) {
        self.number = number
        self.network = network
    }

    func join(_ client: Endpoint, _ server: Endpoint) {
        self.client = client
        self.server = server
    }

    func other(of end: Endpoint) -> Endpoint { end === client ? server : client }

    /// Nobody waits for what is under way: packets hold the connection as it holds them.
    func drop() {
        client.out.drop()
        server.out.drop()
    }

    func isBetween(_ left: Int, _ right: Int) -> Bool {
        (client.host == left && server.host == right)
            || (client.host == right && server.host == left)
    }

    func isHostGone(_ host: Int) -> Bool { network.isGone(host) }

    func endReleased() {
        if client.isReleased && server.isReleased { network.forget(self) }
    }
}
