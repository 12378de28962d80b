// A value behind a lock that threads can wait on: a mutex with a condition variable.

import Glibc

/// Shared state of threads. Hold the lock for moments only: a body must not block.
///
/// Waiters are woken by `change`, and look again by themselves; there is nothing to signal by hand.
@safe package final class Monitor<State: Sendable>: @unchecked Sendable {
    /// `@unchecked`: `state` is touched only with `mutex` held. Both live as long as this object.
    private var state: State
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    package init(_ state: State) {
        self.state = state
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        var attributes = pthread_condattr_t()
        _ = unsafe pthread_condattr_init(&attributes)
        _ = unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        _ = unsafe pthread_mutex_init(mutex, nil)
        _ = unsafe pthread_cond_init(condition, &attributes)
    }

    deinit {
        _ = unsafe pthread_cond_destroy(condition)
        _ = unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    package func readValue<Value>(of body: (State) -> Value) -> Value {
        lockMutex()
        defer { unlockMutex() }
        return body(state)
    }

    /// Changes the state and wakes every waiter.
    @discardableResult
    package func updateState<Value, Failure: Error>(
        using body: (inout State) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        lockMutex()
        defer {
            _ = unsafe pthread_cond_broadcast(condition)
            unlockMutex()
        }
        return try body(&state)
    }

    /// Waits until `body` has an answer. It may change the state; when it does, it wakes the other waiters
    /// only by giving an answer.
    package func waitForValue<Value>(until body: (inout State) -> Value?) -> Value {
        lockMutex()
        defer { unlockMutex() }
        while true {
            if let value = body(&state) {
                _ = unsafe pthread_cond_broadcast(condition)
                return value
            }
            _ = unsafe pthread_cond_wait(condition, mutex)
        }
    }

    /// The same with an end: nil when `deadline` passed without an answer. `deadline` is asked anew before
    /// each wait, with the lock held; nil there waits without limit.
    package func waitForValue<Value>(
        deadline: (State) -> Instant?, until body: (inout State) -> Value?
    ) -> Value? {
        lockMutex()
        defer { unlockMutex() }
        while true {
            if let value = body(&state) {
                _ = unsafe pthread_cond_broadcast(condition)
                return value
            }
            guard let limit = deadline(state) else {
                _ = unsafe pthread_cond_wait(condition, mutex)
                continue
            }
            if Instant.now >= limit { return nil }
            var time = timespec(
                tv_sec: Int(limit.nanoseconds / 1_000_000_000),
                tv_nsec: Int(limit.nanoseconds % 1_000_000_000))
            _ = unsafe pthread_cond_timedwait(condition, mutex, &time)
        }
    }

    private func lockMutex() { _ = unsafe pthread_mutex_lock(mutex) }
    private func unlockMutex() { _ = unsafe pthread_mutex_unlock(mutex) }
}
