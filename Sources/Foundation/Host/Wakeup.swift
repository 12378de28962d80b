// Ends another thread's wait in poll.

import Glibc

/// A flag that poll can see. Set by any thread; stays set until it is cleared.
package final class Wakeup: Sendable {
    private let readEnd: Descriptor
    private let writeEnd: Descriptor

    package init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        let kind =
            SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        try checkedSystemCall(named: "socketpair") {
            unsafe socketpair(AF_UNIX, Int32(kind), 0, &ends)
        }
        readEnd = Descriptor(owning: ends[0])
        writeEnd = Descriptor(owning: ends[1])
    }

    /// Readable while the flag is set.
    package var descriptor: Descriptor { readEnd }

    package func setFlag() {
        var byte: UInt8 = 1
        // A full socket is a set flag.
        _ = unsafe write(writeEnd.number, &byte, 1)
    }

    /// Waits until the flag is set; false when the time is over first.
    package func waitUntilSet(before end: Instant) throws(SystemError) -> Bool {
        try readEnd.waitForEvents(POLLIN, interruptedBy: nil, until: end) == .ready
    }

    package func clearFlag() {
        var bytes: UInt64 = 0
        while unsafe read(readEnd.number, &bytes, 8) > 0 {}
    }
}

/// What a wait on a socket ended with.
package enum WaitResult: Hashable, Sendable {
    case ready, timedOut, wokenUp
}

extension Descriptor {
    package func setNonBlocking() throws(SystemError) {
        let flags = try checkedSystemCall(named: "fcntl(F_GETFL)") { fcntl(number, F_GETFL) }
        try checkedSystemCall(named: "fcntl(F_SETFL)") {
            fcntl(number, F_SETFL, flags | O_NONBLOCK)
        }
    }

    /// Waits until this is ready for `events` (also when it has hung up or failed), the flag is set, or
    /// the time is over.
    package func waitForEvents(
        _ events: Int32, interruptedBy wakeup: Wakeup?, until end: Instant
    ) throws(SystemError) -> WaitResult {
        while true {
            let left = max(.zero, end - Instant.now)
            let milliseconds = (left.wholeMicroseconds + 999) / 1000
            var entries = (
                pollfd(fd: number, events: Int16(events), revents: 0),
                // poll ignores a negative descriptor.
                pollfd(fd: wakeup?.descriptor.number ?? -1, events: Int16(POLLIN), revents: 0)
            )
            let result = unsafe withUnsafeMutablePointer(to: &entries) {
                unsafe $0.withMemoryRebound(to: pollfd.self, capacity: 2) {
                    unsafe poll($0, 2, Int32(clamping: milliseconds))
                }
            }
            if result > 0 { return entries.1.revents != 0 ? .wokenUp : .ready }
            if result == 0 { return .timedOut }
            if errno != EINTR { throw SystemError(call: "poll", code: errno) }
        }
    }
}

extension Duration {
    fileprivate var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
