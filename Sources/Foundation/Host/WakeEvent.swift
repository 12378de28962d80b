// A bell for a thread that sleeps in poll.

internal import CLinux
import Glibc

/// Readable from `ring` until `silence`.
package final class WakeEvent: Sendable {
    package let descriptor: Descriptor

    package init() throws(SystemError) {
        descriptor = Descriptor(
            owning: try checkedWrapperCall(named: "eventfd") { ferry_eventfd() })
    }

    package func signalEvent() {
        var one: UInt64 = 1
        // Fails only when it was rung 2^64 times without being heard.
        _ = unsafe write(descriptor.number, &one, 8)
    }

    package func resetEvent() {
        var count: UInt64 = 0
        // Fails only when it is silent already.
        _ = unsafe read(descriptor.number, &count, 8)
    }
}
