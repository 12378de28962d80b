// A thread of a simulated process: runs only when the scheduler says so.

import Dispatch
import Migration

/// `@unchecked`: whoever holds the baton (see Scheduler) may touch it.
package final class SimThread: RunningThread, WorkerJob, @unchecked Sendable {
    let id: Int
    let name: String
    let process: SimProcess
    private unowned let scheduler: Scheduler
    private var body: (@Sendable () -> Void)?
    private let turn = DispatchSemaphore(value: 0)
    private var hasStarted = false

    var isReady = true
    private(set) var isEnded = false
    /// In a `join`, which no crash ends: it waits for threads that the crash ends too.
    var isJoining = false
    var waitsFor: StaticString = "its start"
    /// Counts waits, so that a timer of an old one is known.
    var waitNumber = 0
    private let ended: WaitPoint

    init(
        id: Int, name: String, process: SimProcess, scheduler: Scheduler,
        body: @escaping @Sendable () -> Void
    ) {
        self.id = id
        self.name = name
        self.process = process
        self.scheduler = scheduler
        self.body = body
        ended = WaitPoint()
    }

    package func joinThread() {
        scheduler.step("join")
        while !isEnded { scheduler.join(ended) }
    }

    /// Lets it run from where it stands.
    func goOn() {
        if hasStarted {
            turn.signal()
        } else {
            hasStarted = true
            WorkerPool.shared.start(self)
        }
    }

    func standStill() { turn.wait() }

    @inline(never)
    func run() {
        let body = body.take()
        body?()
    }

    func handOver() {
        isEnded = true
        ended.wakeAll()
        scheduler.threadEnded(self)
    }
}

/// Where threads wait for something that another thread or an event brings about.
final class WaitPoint {
    private var waiters: [SimThread] = []

    func add(_ thread: SimThread) { waiters.append(thread) }

    func remove(_ thread: SimThread) {
        if let index = waiters.firstIndex(where: { $0 === thread }) { waiters.remove(at: index) }
    }

    func wakeAll() {
        for thread in waiters { thread.isReady = true }
    }
}
