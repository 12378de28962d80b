// The one bridge between tasks and blocking calls, in both directions.
//
// A blocking call on the cooperative pool delays every task and timer: the pool has only as many threads as the host
// has cores. So each blocking call gets a thread of its own, which costs little beside what these calls do.

import Dispatch
import Host
import Synchronization

/// Runs a blocking function on a thread of its own and waits for it without blocking.
package func runOnThread<Value: Sendable, Failure: Error>(
    named name: String, body: @escaping @Sendable () throws(Failure) -> Value
) async throws(Failure) -> Value {
    let result = await withCheckedContinuation {
        (continuation: CheckedContinuation<Result<Value, Failure>, Never>) in
        startThread(named: name) {
            do throws(Failure) { continuation.resume(returning: .success(try body())) } catch {
                continuation.resume(returning: .failure(error))
            }
        }
    }
    return try result.get()
}

/// Starts a function on a thread of its own and does not wait for it.
package func startThread(named name: String, body: @escaping @Sendable () -> Void) {
    do { try NamedThread(name: name, body: body).detachThread() } catch {
        // No thread is available now: Dispatch's queue runs the function when there is one again.
        DispatchQueue.global().async(execute: body)
    }
}

/// Waits, on a thread that may block, for the result of a task. Never call it on the cooperative pool.
package func waitForTask<Value: Sendable>(
    body: @escaping @Sendable () async -> Value
) -> Value {
    let result = TaskResult<Value>()
    Task { result.complete(with: await body()) }
    return result.waitForResult()
}

private final class TaskResult<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let done = DispatchSemaphore(value: 0)

    func complete(with result: Value) {
        value.withLock { $0 = result }
        done.signal()
    }

    func waitForResult() -> Value {
        while true {
            done.wait()
            if let result = value.withLock({ $0 }) { return result }
        }
    }
}
