// The hard ends of a TCP connection, which the product has no use for.

import Glibc
import Host

extension Descriptor {
    /// Closing it will reset the connection instead of ending it.
    func resetWhenClosed() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        // A connection that has ended already is what is wanted.
        _ = unsafe setsockopt(
            number, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    }

    /// The other end reads an end; this one may go on reading.
    func endWriting() { _ = Glibc.shutdown(number, Int32(SHUT_WR)) }

    /// Nothing can come or go any more.
    var isClosedByBothEnds: Bool {
        var entry = pollfd(fd: number, events: 0, revents: 0)
        return unsafe poll(&entry, 1, 0) > 0 && entry.revents & Int16(POLLHUP) != 0
    }
}
