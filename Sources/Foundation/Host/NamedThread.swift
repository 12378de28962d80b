// A kernel thread with a name that top and perf show.

internal import CLinux
import Glibc

/// A thread that runs one function to its end. Call `join` to wait for it.
package final class NamedThread: @unchecked Sendable {
    /// For signals (a vCPU's kick) and for `join`.
    private let pthread: pthread_t

    /// - Parameters:
    ///   - name: at most 15 bytes are kept.
    ///   - nice: added to the process's nice value for this thread alone; refused values are ignored.
    package init(
        name: String, nice: Int32 = 0, body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        let box = unsafe Unmanaged.passRetained(Start(name: name, nice: nice, body: body))
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil, { unsafe runThreadBody(argument: $0) }, box.toOpaque())
        guard code == 0 else {
            unsafe box.release()
            throw SystemError(call: "pthread_create(\(name))", code: code)
        }
        pthread = thread
    }

    /// Makes the calling thread give way to others from now on; a refused value is ignored.
    package static func setNiceValue(to nice: Int32) { _ = ferry_set_thread_nice(nice) }

    /// Waits until the function has returned. Call once.
    package func joinThread() { _ = pthread_join(pthread, nil) }

    /// Nobody will wait for it: its resources go when its function has returned. Instead of `join`.
    package func detachThread() { _ = pthread_detach(pthread) }

    /// CPU time so far; zero when it cannot be read. The thread must not have been joined.
    package var cpuTime: Duration { .nanoseconds(max(0, ferry_thread_cpu_time(pthread))) }

    /// Sends a signal to this thread. The thread must not have been joined.
    package func sendSignal(_ number: Int32) { _ = pthread_kill(pthread, number) }
}

private final class Start: Sendable {
    let name: String
    let nice: Int32
    let body: @Sendable () -> Void

    init(name: String, nice: Int32, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.nice = nice
        self.body = body
    }
}

// A plain function, not a closure: a closure written in main.swift would be isolated to the main actor.
private func runThreadBody(argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
    _ = unsafe ferry_set_thread_name(start.name)
    if start.nice != 0 { _ = ferry_set_thread_nice(start.nice) }
    start.body()
    return nil
}
