// One mutual TLS 1.3 connection to another agent: a byte stream in which every wait is bounded.
//
// For one thread at a time. Other threads may set the connection's wakeup, which ends the owner's wait, or shut the
// connection down. The socket does not block; waits use poll.

import COpenSSL
import Glibc
package import Host
package import Model

/// A connection whose peer is identified.
@safe package final class PeerConnection: @unchecked Sendable {
    /// The peer's identity, from its certificate.
    package let peer: Identity
    /// `@unchecked`: used by one thread at a time, as the file's comment says.
    private let ssl: OpaquePointer
    private let socket: Descriptor
    private var wakeup: Wakeup
    /// How long the peer may be silent in one wait.
    package var silenceMax: Duration {
        didSet { allowSilence(upTo: silenceMax) }
    }
    /// How long the kernel waits for a dead peer: the longest silence that was ever allowed. When a connection may be
    /// silent for long, the kernel must not end it earlier.
    private var deadPeerAfter: Duration

    /// Connects, performs the handshake and checks that the peer is `expected`.
    /// - Parameter wakeup: while it is set, every wait of this connection ends with `.interrupted`.
    package static func openConnection(
        to address: SocketAddress, expecting expected: ExpectedPeer, keys: PeerKeys,
        within limit: Duration, silenceMax: Duration, interruptedBy wakeup: Wakeup
    ) throws(LinkError) -> PeerConnection {
        let socket: Descriptor
        do {
            socket = try TCPSocket.openConnection(to: address, within: limit, cancelledBy: wakeup)
        } catch {
            throw error.code == ECANCELED ? .interrupted : .unreachable(error)
        }
        let ssl = try unsafe makeTLSSession(in: keys.client)
        let connection = unsafe try PeerConnection(
            ssl: ssl, socket: socket, silenceMax: silenceMax, interruptedBy: wakeup,
            handshake: SSL_connect)
        try expected.checkIdentity(connection.peer, in: keys.identity.cluster)
        return connection
    }

    /// Performs the handshake on an accepted socket. The peer has a certificate of our authority; the caller checks its
    /// identity and whether it is permitted.
    package static func acceptConnection(
        on socket: Descriptor, keys: PeerKeys, silenceMax: Duration, interruptedBy wakeup: Wakeup
    ) throws(LinkError) -> PeerConnection {
        let ssl = try unsafe makeTLSSession(in: keys.server)
        return unsafe try PeerConnection(
            ssl: ssl, socket: socket, silenceMax: silenceMax, interruptedBy: wakeup,
            handshake: SSL_accept)
    }

    private init(
        ssl: OpaquePointer, socket: Descriptor, silenceMax: Duration, interruptedBy wakeup: Wakeup,
        handshake: (OpaquePointer?) -> Int32
    ) throws(LinkError) {
        var isTaken = false
        defer { if !isTaken { unsafe SSL_free(ssl) } }
        self.socket = socket
        self.silenceMax = silenceMax
        deadPeerAfter = min(silenceMax, Limits.deadPeerMax)
        self.wakeup = wakeup
        do {
            try TCPSocket.tuneThroughput(of: socket, bufferBytes: Limits.socketBufferBytes)
            try TCPSocket.detectDeadPeer(on: socket, after: deadPeerAfter)
            try socket.setNonBlocking()
        } catch { throw .system(error) }
        guard unsafe SSL_set_fd(ssl, socket.number) == 1 else {
            throw .tls(detail: lastErrorText())
        }
        do {
            try unsafe completeHandshake(
                on: ssl, socket: socket, interruptedBy: wakeup, using: handshake)
        } catch {
            discardRemainingInput(on: socket)
            throw error
        }
        guard let certificate = unsafe SSL_get0_peer_certificate(ssl) else {
            throw .untrustedPeer(detail: "the peer sent no certificate")
        }
        do { peer = try unsafe readIdentity(from: certificate) } catch {
            throw .noIdentity(detail: error.detail)
        }
        unsafe self.ssl = ssl
        isTaken = true
    }

    deinit { unsafe SSL_free(ssl) }

    private func allowSilence(upTo limit: Duration) {
        let limit = min(limit, Limits.deadPeerMax)
        guard limit > deadPeerAfter else { return }
        deadPeerAfter = limit
        // This fails only on a connection that has ended, which its next use will report.
        try? TCPSocket.detectDeadPeer(on: socket, after: limit)
    }

    /// Sends all bytes.
    package func sendBytes(_ bytes: RawSpan) throws(LinkError) {
        var sent = 0
        while sent < bytes.byteCount {
            var count = 0
            try retryUntilComplete { () -> Int32 in
                unsafe bytes.withUnsafeBytes {
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: $0[sent...])
                    return unsafe SSL_write_ex(ssl, rest.baseAddress, rest.count, &count)
                }
            }
            sent += count
        }
    }

    package func sendBytes(_ bytes: [UInt8]) throws(LinkError) {
        try sendBytes(unsafe bytes.span.bytes)
    }

    /// Fills the whole buffer.
    package func receiveBytes(into buffer: inout MutableRawSpan) throws(LinkError) {
        var received = 0
        let total = buffer.byteCount
        while received < total {
            var count = 0
            try retryUntilComplete { () -> Int32 in
                unsafe buffer.withUnsafeMutableBytes {
                    let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: $0[received...])
                    return unsafe SSL_read_ex(ssl, rest.baseAddress, rest.count, &count)
                }
            }
            received += count
        }
    }

    package func receiveBytes(count: Int) throws(LinkError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        try receiveBytes(into: &raw)
        return bytes
    }

    /// From now on waits end while `wakeup` is set. For the connection's own thread.
    package func setInterruptWakeup(_ wakeup: Wakeup) { self.wakeup = wakeup }

    /// Waits until there is data or an end to receive (`.ready`), `news` is set, or the time has passed.
    package func waitForInput(
        wakingOn news: Wakeup, until end: Instant
    ) throws(LinkError) -> WaitResult {
        if unsafe SSL_has_pending(ssl) == 1 { return .ready }
        do { return try socket.waitForEvents(POLLIN, interruptedBy: news, until: end) } catch {
            throw .system(error)
        }
    }

    /// Sends TLS's close notification, so that the peer can distinguish an end from a broken connection. Does not wait.
    package func close() {
        ERR_clear_error()
        _ = unsafe SSL_shutdown(ssl)
        _ = Glibc.shutdown(socket.number, Int32(SHUT_WR))
    }

    /// Sends TLS's close notification and waits briefly for the peer's end, so that a reset does not destroy the last
    /// messages.
    package func closeGently() {
        close()
        discardRemainingInput(on: socket)
    }

    /// Ends the connection while its owner uses it; the owner gets `.broken` or `.closed`.
    package func abortConnection() { socket.shutDownSocket() }

    /// Waits until the peer's host has acknowledged all data, at most as long as the peer may be silent.
    package func waitForDelivery() throws(LinkError) {
        let end = Instant.now + silenceMax
        do {
            while try socket.unsentBytes() > 0 {
                guard Instant.now < end else { throw LinkError.timedOut(after: silenceMax) }
                if try wakeup.waitUntilSet(before: .now + Limits.drainInterval) {
                    throw LinkError.interrupted
                }
            }
        } catch {
            throw typedError(error, converting: LinkError.system)
        }
    }

    /// While corked, only full segments are sent (for at most 200 ms): fewer wake-ups at the peer while there is much
    /// to send. Uncorking sends the rest at once.
    package func setCorking(enabled isCorked: Bool) throws(LinkError) {
        do {
            try socket.setSocketOption(
                level: Int32(IPPROTO_TCP), option: TCP_CORK, value: isCorked ? 1 : 0,
                name: "TCP_CORK")
        } catch { throw .system(error) }
    }

    /// Repeats a call of OpenSSL until it succeeds, waiting for the socket between.
    private func retryUntilComplete(_ call: () -> Int32) throws(LinkError) {
        let start = Instant.now
        while true {
            ERR_clear_error()
            errno = 0
            let result = call()
            if result == 1 { return }
            let code = errno
            let events = unsafe wantedEvents(of: ssl, result: result)
            guard events != 0 else {
                throw unsafe tlsFailure(of: ssl, result: result, systemCode: code)
            }
            try waitForSocket(
                socket, interruptedBy: wakeup, events: events, until: start + silenceMax,
                limit: silenceMax)
        }
    }
}

private func makeTLSSession(in context: OpaquePointer) throws(LinkError) -> OpaquePointer {
    ERR_clear_error()
    guard let ssl = unsafe SSL_new(context) else { throw .tls(detail: lastErrorText()) }
    return unsafe ssl
}

private func completeHandshake(
    on ssl: OpaquePointer, socket: Descriptor, interruptedBy wakeup: Wakeup,
    using handshake: (OpaquePointer?) -> Int32
) throws(LinkError) {
    let end = Instant.now + Limits.handshakeTimeout
    while true {
        ERR_clear_error()
        errno = 0
        let result = unsafe handshake(ssl)
        if result == 1 { return }
        let code = errno
        let events = unsafe wantedEvents(of: ssl, result: result)
        guard events != 0 else {
            throw unsafe tlsFailure(of: ssl, result: result, systemCode: code)
        }
        try waitForSocket(
            socket, interruptedBy: wakeup, events: events, until: end,
            limit: Limits.handshakeTimeout)
    }
}

/// The events that poll must wait for before the call can continue; 0 if it never can.
private func wantedEvents(of ssl: OpaquePointer, result: Int32) -> Int32 {
    switch unsafe SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ: POLLIN
    case SSL_ERROR_WANT_WRITE: POLLOUT
    default: 0
    }
}

private func waitForSocket(
    _ socket: Descriptor, interruptedBy wakeup: Wakeup, events: Int32, until end: Instant,
    limit: Duration
) throws(LinkError) {
    do {
        switch try socket.waitForEvents(events, interruptedBy: wakeup, until: end) {
        case .ready: return
        case .timedOut: throw LinkError.timedOut(after: limit)
        case .wokenUp: throw LinkError.interrupted
        }
    } catch {
        throw typedError(error, converting: LinkError.system)
    }
}

/// Reads and drops, briefly, what the peer still sends: closing a socket with unread bytes resets the connection, and a
/// reset can overtake our last messages.
private func discardRemainingInput(on socket: Descriptor) {
    _ = Glibc.shutdown(socket.number, Int32(SHUT_WR))
    let end = Instant.now + Limits.lingerTimeout
    var left = Limits.lingerBytesMax
    var bytes = [UInt8](repeating: 0, count: 4096)
    while left > 0, Instant.now < end {
        // Errors are ignored here: the connection has ended in any case.
        guard (try? socket.waitReadable(within: end - Instant.now)) == true else { return }
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe recv(socket.number, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
        }
        guard count > 0 else { return }
        left -= count
    }
}
