// The signal that makes an agent report before the next report is due: a VM's state has changed, or a migration ended.

import Synchronization

/// Any number of callers ring; one task waits.
package final class ReportSignal: Sendable {
    private struct State {
        var isRung = false
        var isTimeOver = false
        var waiter: CheckedContinuation<Void, Never>?

        mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
            defer { waiter = nil }
            return waiter
        }
    }

    private let state = Mutex(State())

    package init() {}

    package func requestReport() {
        state.withLock {
            $0.isRung = true
            return $0.takeWaiter()
        }?.resume()
    }

    /// Waits for a ring, for the limit at most, or until the task is cancelled. Returns whether there was a ring since
    /// the last wait.
    package func waitForSignal(within limit: Duration) async -> Bool {
        state.withLock { $0.isTimeOver = false }
        let timer = Task {
            do { try await Task.sleep(for: limit) } catch { return }
            // The wait may not have begun yet.
            state.withLock {
                $0.isTimeOver = true
                return $0.takeWaiter()
            }?.resume()
        }
        defer { timer.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock {
                    let isOver = $0.isRung || $0.isTimeOver
                    if !isOver { $0.waiter = continuation }
                    return isOver
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            requestReport()
        }
        return state.withLock { state in
            defer { state.isRung = false }
            return state.isRung
        }
    }
}
