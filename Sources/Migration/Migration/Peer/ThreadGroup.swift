// The threads of a server's connections, with a way to end their waits.

import Host
import Synchronization

/// Starts threads and joins them. Any thread may call.
final class ThreadGroup: Sendable {
    private struct Entry {
        let wakeup: any WakeFlag
        var thread: (any RunningThread)?
        var isFinished = false
    }

    private struct State {
        var entries: [Int: Entry] = [:]
        var nextNumber = 0
    }

    private let runtime: any MigrationRuntime
    private let state = Mutex(State())

    init(runtime: any MigrationRuntime) { self.runtime = runtime }

    var count: Int { state.withLock { $0.entries.count } }

    /// Runs `body` on a new thread; its waits end while its wakeup is set.
    func startThread(running body: @escaping @Sendable (any WakeFlag) -> Void) throws(SystemError) {
        let wakeup = try runtime.makeWakeFlag()
        let number = state.withLock {
            let number = $0.nextNumber
            $0.nextNumber += 1
            $0.entries[number] = Entry(wakeup: wakeup)
            return number
        }
        do {
            let thread = try runtime.startThread(name: "ferry-peer-\(number % 10000)", nice: 0) {
                body(wakeup)
                self.state.withLock { $0.entries[number]?.isFinished = true }
            }
            state.withLock { $0.entries[number]?.thread = thread }
        } catch {
            state.withLock { $0.entries[number] = nil }
            throw error
        }
    }

    func joinFinished() {
        let finished = state.withLock { state in
            let numbers = state.entries.filter { $0.value.isFinished && $0.value.thread != nil }
                .keys
            return numbers.sorted().compactMap { state.entries.removeValue(forKey: $0)?.thread }
        }
        for thread in finished { thread.joinThread() }
    }

    func wakeAllThreads() {
        state.withLock { for entry in $0.entries.values { entry.wakeup.setFlag() } }
    }

    /// Waits for every thread. No thread is started meanwhile.
    func joinAllThreads() {
        let threads = state.withLock { state in
            let threads = state.entries.sorted { $0.key < $1.key }.compactMap(\.value.thread)
            state.entries = [:]
            return threads
        }
        for thread in threads { thread.joinThread() }
    }
}
