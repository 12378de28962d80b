// Wakes those who wait for a commit later than the last they know of.

import ClusterCore
import Synchronization

/// Rung by committers, in any order; waited for by watchers' tasks.
final class CommitNotifier: Sendable {
    private struct State {
        var revision: Revision
        var isClosed = false
        var nextWaiter: UInt64 = 0
        /// As many as there are tasks that wait.
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state: Mutex<State>

    init(revision: Revision) { state = Mutex(State(revision: revision)) }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func announceCommit(at revision: Revision) {
        wakeWaiters { $0.revision = max($0.revision, revision) }
    }

    /// From now on nobody waits.
    func close() {
        wakeWaiters { $0.isClosed = true }
    }

    private func wakeWaiters(changing change: (inout State) -> Void) {
        let waiters = state.withLock { state in
            change(&state)
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    /// Returns when there was a later commit, the store is closed, or the task is cancelled.
    func waitForCommit(after revision: Revision) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    if state.revision > revision || state.isClosed || Task.isCancelled {
                        return true
                    }
                    state.waiters[id] = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}
