// Signals that a process of many threads handles.

internal import CLinux

package enum Signals {
    /// From now on the signal interrupts a blocking call of the thread that gets it, and does nothing else.
    package static func interruptCalls(onSignal signal: Int32) throws(SystemError) {
        try checkedWrapperCall(named: "sigaction(\(signal))") { ferry_interrupt_calls_on(signal) }
    }

    package static func ignoreSignal(_ signal: Int32) throws(SystemError) {
        try checkedWrapperCall(named: "sigaction(\(signal))") { ferry_ignore_signal(signal) }
    }

    /// Keeps a signal from this thread and from those it makes, so that one thread can wait for it.
    package static func blockSignal(_ signal: Int32) throws(SystemError) {
        try checkedWrapperCall(named: "pthread_sigmask(\(signal))") { ferry_block_signal(signal) }
    }

    /// Lets a signal through to this thread, whatever the thread that made it had blocked.
    package static func unblockSignal(_ signal: Int32) throws(SystemError) {
        try checkedWrapperCall(named: "pthread_sigmask(\(signal))") { ferry_unblock_signal(signal) }
    }

    /// Waits for one of two blocked signals and returns its number.
    package static func waitForSignal(first: Int32, second: Int32) throws(SystemError) -> Int32 {
        try checkedWrapperCall(named: "sigwaitinfo") { ferry_wait_signal(first, second) }
    }
}
