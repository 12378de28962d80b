// The one bridge between tasks and blocking calls, both ways.
//
// A blocking call on the cooperative pool holds up everybody's timers: there are only as many threads as cores.
// So each gets a thread of its own, which is cheap beside what these calls do.

import Dispatch
import Host
import Synchronization

/// Runs a blocking function on a thread of its own and waits for it without blocking.
package func onThread<Value: Sendable, Failure: Error>(
    _ name: String, _ body: @escaping @Sendable () throws(Failure) -> Value
) async throws(Failure) -> Value {
    let result = await withCheckedContinuation {
        (continuation: CheckedContinuation<Result<Value, Failure>, Never>) in
        startThread(name) {
            do throws(Failure) { continuation.resume(returning: .success(try body())) } catch {
                continuation.resume(returning: .failure(error))
            }
        }
    }
    return try result.get()
}

/// Starts a function on a thread of its own, which nobody waits for.
package func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    do { try NamedThread(name: name, body).detach() } catch {
        // No thread to be had now: Dispatch's queue runs it when there is one again.
        DispatchQueue.global().async(execute: body)
    }
}

/// Waits, on a thread that may block, for what a task computes. Never call it on the cooperative pool.
package func waiting<Value: Sendable>(for body: @escaping @Sendable () async -> Value) -> Value {
    let answer = Answer<Value>()
    Task { answer.set(await body()) }
    return answer.wait()
}

private final class Answer<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let done = DispatchSemaphore(value: 0)

    func set(_ answer: Value) {
        value.withLock { $0 = answer }
        done.signal()
    }

    func wait() -> Value {
        while true {
            done.wait()
            if let answer = value.withLock({ $0 }) { return answer }
        }
    }
}
