// Operating system threads that lend themselves to one simulated thread after another.

import Dispatch
import Host
import Synchronization

/// What a worker does next. `run` does the work, `handOver` lets somebody else go on.
protocol WorkerJob: AnyObject, Sendable {
    func run()
    func handOver()
}

/// Grows to the most threads that were ever needed at once; they are kept.
final class WorkerPool: Sendable {
    static let shared = WorkerPool()

    private let idle = Mutex<[Worker]>([])

    func start(_ job: any WorkerJob) {
        let worker = idle.withLock { $0.popLast() } ?? Worker(pool: self)
        worker.take(job)
    }

    fileprivate func isIdle(_ worker: Worker) { idle.withLock { $0.append(worker) } }
}

private final class Worker: Sendable {
    private let job = Mutex<(any WorkerJob)?>(nil)
    private let work = DispatchSemaphore(value: 0)
    private let pool: WorkerPool

    init(pool: WorkerPool) {
        self.pool = pool
        do { try NamedThread(name: "sim-worker") { self.loop() }.detachThread() } catch {
            fatalError("no thread for a simulation: \(error)")
        }
    }

    func take(_ job: any WorkerJob) {
        self.job.withLock { $0 = job }
        work.signal()
    }

    private func loop() {
        while true {
            work.wait()
            finishJob()
            pool.isIdle(self)
        }
    }

    // Not inlined: what the job held must be gone when it hands over.
    @inline(never)
    private func finishJob() {
        guard let job = job.withLock({ $0.take() }) else { return }
        job.run()
        job.handOver()
    }
}
