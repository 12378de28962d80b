// TCP: listen, accept, connect with a limit on time. Sockets are blocking; waits are bounded by poll.

internal import CLinux
import Glibc

/// TCP sockets as owned descriptors.
package enum TCPSocket {
    private static let backlog: Int32 = 128

    package static func openListener(on address: SocketAddress) throws(SystemError) -> Descriptor {
        let socket = try makeSocket(for: address)
        try socket.setSocketOption(
            level: SOL_SOCKET, option: SO_REUSEADDR, value: 1, name: "SO_REUSEADDR")
        try checkedSystemCall(named: "bind(\(address))") {
            unsafe address.withSockaddr { unsafe Glibc.bind(socket.number, $0, $1) }
        }
        try checkedSystemCall(named: "listen(\(address))") { Glibc.listen(socket.number, backlog) }
        return socket
    }

    /// The port a socket is bound to: of use after listening on port 0.
    package static func boundPort(of socket: Descriptor) throws(SystemError) -> UInt16 {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try checkedSystemCall(named: "getsockname") {
            unsafe withUnsafeMutableBytes(of: &address) {
                unsafe getsockname(
                    socket.number, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, &size)
            }
        }
        // sin_port and sin6_port are both bytes 2 and 3, in network order.
        return unsafe withUnsafeBytes(of: address) { unsafe UInt16($0[2]) << 8 | UInt16($0[3]) }
    }

    /// The next connection, or nil when none came in time.
    package static func acceptConnection(
        on listener: Descriptor, within limit: Duration
    ) throws(SystemError) -> Descriptor? {
        guard try listener.waitForEvents(POLLIN, within: limit) else { return nil }
        let number = try checkedWrapperCall(named: "accept") {
            ferry_accept(listener.number)
        }
        return Descriptor(owning: number)
    }

    /// - Parameter wakeup: ends the wait early, with ECANCELED.
    package static func openConnection(
        to address: SocketAddress, within limit: Duration, cancelledBy wakeup: Wakeup? = nil
    ) throws(SystemError) -> Descriptor {
        let socket = try makeSocket(for: address)
        let flags = try checkedSystemCall(named: "fcntl") { fcntl(socket.number, F_GETFL) }
        try checkedSystemCall(named: "fcntl") { fcntl(socket.number, F_SETFL, flags | O_NONBLOCK) }
        do {
            try checkedSystemCall(named: "connect(\(address))") {
                unsafe address.withSockaddr { unsafe Glibc.connect(socket.number, $0, $1) }
            }
        } catch  where error.code == EINPROGRESS {
            switch try socket.waitForEvents(POLLOUT, interruptedBy: wakeup, until: .now + limit) {
            case .ready: break
            case .timedOut: throw SystemError(call: "connect(\(address))", code: ETIMEDOUT)
            case .wokenUp: throw SystemError(call: "connect(\(address))", code: ECANCELED)
            }
            let code = try socket.pendingError()
            guard code == 0 else { throw SystemError(call: "connect(\(address))", code: code) }
        }
        try checkedSystemCall(named: "fcntl") { fcntl(socket.number, F_SETFL, flags) }
        return socket
    }

    /// What the migration's sockets want: no Nagle delay, large buffers.
    package static func tuneThroughput(
        of socket: Descriptor, bufferBytes: Int32
    ) throws(SystemError) {
        try socket.setSocketOption(
            level: Int32(IPPROTO_TCP), option: TCP_NODELAY, value: 1, name: "TCP_NODELAY")
        try socket.setSocketOption(
            level: SOL_SOCKET, option: SO_SNDBUF, value: bufferBytes, name: "SO_SNDBUF")
        try socket.setSocketOption(
            level: SOL_SOCKET, option: SO_RCVBUF, value: bufferBytes, name: "SO_RCVBUF")
    }

    /// From now on the connection breaks when its peer's host has not acknowledged anything for so long.
    package static func detectDeadPeer(
        on socket: Descriptor, after limit: Duration
    ) throws(SystemError) {
        let milliseconds = Int32(clamping: limit.components.seconds * 1000)
        try socket.setSocketOption(
            level: Int32(IPPROTO_TCP), option: TCP_USER_TIMEOUT, value: max(1000, milliseconds),
            name: "TCP_USER_TIMEOUT")
        try socket.setSocketOption(
            level: SOL_SOCKET, option: SO_KEEPALIVE, value: 1, name: "SO_KEEPALIVE")
        try socket.setSocketOption(
            level: Int32(IPPROTO_TCP), option: TCP_KEEPIDLE, value: 1, name: "TCP_KEEPIDLE")
        try socket.setSocketOption(
            level: Int32(IPPROTO_TCP), option: TCP_KEEPINTVL, value: 1, name: "TCP_KEEPINTVL")
        try socket.setSocketOption(
            level: Int32(IPPROTO_TCP), option: TCP_KEEPCNT, value: max(2, milliseconds / 1000),
            name: "TCP_KEEPCNT")
    }

    private static func makeSocket(for address: SocketAddress) throws(SystemError) -> Descriptor {
        let family = address.ip.utf8.contains(UInt8(ascii: ":")) ? AF_INET6 : AF_INET
        return Descriptor(
            owning: try checkedSystemCall(named: "socket") {
                socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            })
    }
}

extension Descriptor {
    package func setSocketOption(
        level: Int32, option: Int32, value: Int32, name: String
    ) throws(SystemError) {
        var value = value
        try checkedSystemCall(named: "setsockopt(\(name))") {
            unsafe setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Bytes that the other end of a TCP connection has not acknowledged.
    package func unsentBytes() throws(SystemError) -> Int {
        var count: Int32 = 0
        // SIOCOUTQ has the number of TIOCOUTQ.
        try checkedSystemCall(named: "ioctl(SIOCOUTQ)") {
            unsafe ioctl(number, UInt(TIOCOUTQ), &count)
        }
        return Int(count)
    }

    func pendingError() throws(SystemError) -> Int32 {
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        try checkedSystemCall(named: "getsockopt(SO_ERROR)") {
            unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size)
        }
        return code
    }

    /// Waits until there is something to read, or the end; false when the time ran out first.
    package func waitReadable(within limit: Duration) throws(SystemError) -> Bool {
        try waitForEvents(POLLIN, within: limit)
    }

    /// Waits until the descriptor is ready, has hung up or failed; false when the time ran out first.
    package func waitForEvents(_ events: Int32, within limit: Duration) throws(SystemError) -> Bool
    {
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
    package func shutDownSocket() { _ = Glibc.shutdown(number, Int32(SHUT_RDWR)) }
}
