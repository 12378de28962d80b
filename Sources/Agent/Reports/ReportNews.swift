// The bell that makes an agent report before it is due: a VM's state has changed, a migration has ended.

import Synchronization

/// Rung by anybody; one waits.
package final class ReportNews: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?

        mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
            defer { waiter = nil }
            return waiter
        }
    }

    private let state = Mutex(State())

    package init() {}

    package func ring() {
        state.withLock {
            $0.isRung = true
            return $0.takeWaiter()
        }?.resume()
    }

    /// Waits until somebody rings, for so long at most, or until the task is cancelled. True when it was rung since
    /// the last wait.
    package func wait(for limit: Duration) async -> Bool {
        let timer = Task {
            do { try await Task.sleep(for: limit) } catch { return }
            state.withLock { $0.takeWaiter() }?.resume()
        }
        defer { timer.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isRung = state.withLock {
                    if !$0.isRung { $0.waiter = continuation }
                    return $0.isRung
                }
                if isRung { continuation.resume() }
            }
        } onCancel: {
            ring()
        }
        return state.withLock { state in
            defer { state.isRung = false }
            return state.isRung
        }
    }
}
