// TCP: listen, accept, connect with a limit on time. Sockets are blocking; waits are bounded by poll.

internal import CLinux
import Glibc

/// TCP sockets as owned descriptors.
package enum TCPSocket {
    private static let backlog: Int32 = 128

    package static func listen(on address: SocketAddress) throws(SystemError) -> Descriptor {
        let socket = try make(for: address)
        try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR")
        try checked("bind(\(address))") {
            unsafe address.withSockaddr { unsafe Glibc.bind(socket.number, $0, $1) }
        }
        try checked("listen(\(address))") { Glibc.listen(socket.number, backlog) }
        return socket
    }

    /// The port a socket is bound to: of use after listening on port 0.
    package static func port(of socket: Descriptor) throws(SystemError) -> UInt16 {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try checked("getsockname") {
            unsafe withUnsafeMutableBytes(of: &address) {
                unsafe getsockname(
                    socket.number, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, &size)
            }
        }
        // sin_port and sin6_port are both bytes 2 and 3, in network order.
        return unsafe withUnsafeBytes(of: address) { unsafe UInt16($0[2]) << 8 | UInt16($0[3]) }
    }

    /// The next connection, or nil when none came in time.
    package static func accept(
        on listener: Descriptor, within limit: Duration
    ) throws(SystemError) -> Descriptor? {
        guard try listener.wait(for: POLLIN, within: limit) else { return nil }
        let number = try checkedNegative("accept") {
            ferry_accept(listener.number)
        }
        return Descriptor(owning: number)
    }

    /// - Parameter wakeup: ends the wait early, with ECANCELED.
    package static func connect(
        to address: SocketAddress, within limit: Duration, or wakeup: Wakeup? = nil
    ) throws(SystemError) -> Descriptor {
        let socket = try make(for: address)
        let flags = try checked("fcntl") { fcntl(socket.number, F_GETFL) }
        try checked("fcntl") { fcntl(socket.number, F_SETFL, flags | O_NONBLOCK) }
        do {
            try checked("connect(\(address))") {
                unsafe address.withSockaddr { unsafe Glibc.connect(socket.number, $0, $1) }
            }
        } catch  where error.code == EINPROGRESS {
            switch try socket.wait(for: POLLOUT, or: wakeup, until: .now + limit) {
            case .ready: break
            case .timedOut: throw SystemError(call: "connect(\(address))", code: ETIMEDOUT)
            case .wokenUp: throw SystemError(call: "connect(\(address))", code: ECANCELED)
            }
            let code = try socket.pendingError()
            guard code == 0 else { throw SystemError(call: "connect(\(address))", code: code) }
        }
        try checked("fcntl") { fcntl(socket.number, F_SETFL, flags) }
        return socket
    }

    /// What the migration's sockets want: no Nagle delay, large buffers.
    package static func tune(
        _ socket: Descriptor, bufferBytes: Int32
    ) throws(SystemError) {
        try socket.setOption(Int32(IPPROTO_TCP), TCP_NODELAY, 1, "TCP_NODELAY")
        try socket.setOption(SOL_SOCKET, SO_SNDBUF, bufferBytes, "SO_SNDBUF")
        try socket.setOption(SOL_SOCKET, SO_RCVBUF, bufferBytes, "SO_RCVBUF")
    }

    /// From now on the connection breaks when its peer's host has not acknowledged anything for so long.
    package static func noticeDeadPeer(
        _ socket: Descriptor, after limit: Duration
    ) throws(SystemError) {
        let milliseconds = Int32(clamping: limit.components.seconds * 1000)
        try socket.setOption(
            Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, max(1000, milliseconds), "TCP_USER_TIMEOUT")
        try socket.setOption(SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE")
        try socket.setOption(Int32(IPPROTO_TCP), TCP_KEEPIDLE, 1, "TCP_KEEPIDLE")
        try socket.setOption(Int32(IPPROTO_TCP), TCP_KEEPINTVL, 1, "TCP_KEEPINTVL")
        try socket.setOption(
            Int32(IPPROTO_TCP), TCP_KEEPCNT, max(2, milliseconds / 1000), "TCP_KEEPCNT")
    }

    private static func make(for address: SocketAddress) throws(SystemError) -> Descriptor {
        let family = address.ip.utf8.contains(UInt8(ascii: ":")) ? AF_INET6 : AF_INET
        return Descriptor(
            owning: try checked("socket") {
                socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            })
    }
}

extension Descriptor {
    package func setOption(
        _ level: Int32, _ option: Int32, _ value: Int32, _ name: String
    ) throws(SystemError) {
        var value = value
        try checked("setsockopt(\(name))") {
            unsafe setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Bytes that the other end of a TCP connection has not acknowledged.
    package func unsentBytes() throws(SystemError) -> Int {
        var count: Int32 = 0
        // SIOCOUTQ has the number of TIOCOUTQ.
        try checked("ioctl(SIOCOUTQ)") { unsafe ioctl(number, UInt(TIOCOUTQ), &count) }
        return Int(count)
    }

    func pendingError() throws(SystemError) -> Int32 {
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        try checked("getsockopt(SO_ERROR)") {
            unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size)
        }
        return code
    }

    /// Waits until there is something to read, or the end; false when the time ran out first.
    package func waitReadable(within limit: Duration) throws(SystemError) -> Bool {
        try wait(for: POLLIN, within: limit)
    }

    /// Waits until the descriptor is ready, has hung up or failed; false when the time ran out first.
    package func wait(for events: Int32, within limit: Duration) throws(SystemError) -> Bool {
        let end = Instant.now + limit
        while true {
            let left = max(.zero, end - Instant.now)
            let (seconds, attoseconds) = left.components
            let milliseconds =
                seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
            var entry = pollfd(fd: number, events: Int16(events), revents: 0)
            let result = unsafe poll(&entry, 1, Int32(clamping: milliseconds))
            if result > 0 { return true }
            if result == 0 { return false }
            if errno != EINTR { throw SystemError(call: "poll", code: errno) }
        }
    }

    /// Wakes every thread that blocks on this socket, here and at the peer.
    package func shutdown() { _ = Glibc.shutdown(number, Int32(SHUT_RDWR)) }
}
