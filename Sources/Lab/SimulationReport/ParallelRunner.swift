// Independent pieces of work on several threads, their results in the order of the pieces.
//
// As many pieces are under way as there are workers, no more: what a piece needs while it runs is held that many times.

import Host
import Synchronization

package enum ParallelRunner {
    /// Runs pieces 0 up to `count` on up to `workers` threads and waits for all of them.
    ///
    /// When one fails no further one begins, and the error of the first in order is thrown: those before it were begun
    /// before it, so that the number of workers does not decide which error that is.
    ///
    /// - Parameter finished: called after each piece, on its thread, one at a time, with how many are done.
    package static func runPieces<Value: Sendable, Failure: Error>(
        count: Int, workers: Int,
        piece: @escaping @Sendable (Int) throws(Failure) -> Value,
        finished: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(ParallelRunError<Failure>) -> [Value] {
        let board = SharedResults<Value, Failure>(count)
        let work: @Sendable () -> Void = {
            while let next = board.takePiece() {
                do throws(Failure) {
                    board.storeResult(try piece(next), at: next, finished: finished)
                } catch { board.recordFailure(error, at: next) }
            }
        }
        let others = min(workers, count, Limits.workersMax) - 1
        var threads: [NamedThread] = []
        for _ in 0..<max(0, others) {
            // With fewer threads than wished the work is done all the same.
            guard let thread = try? NamedThread(name: "simulation", body: work) else { break }
            threads.append(thread)
        }
        work()
        threads.forEach { $0.joinThread() }
        return try board.takeResults()
    }
}

package enum ParallelRunError<Failure: Error>: Error {
    case failed(piece: Int, Failure)
}

/// What the threads share.
private final class SharedResults<Value: Sendable, Failure: Error>: Sendable {
    private struct State {
        var next = 0
        var done = 0
        var values: [Value?]
        var failure: (piece: Int, error: Failure)?
    }

    private let state: Mutex<State>
    private let count: Int

    init(_ count: Int) {
        self.count = count
        state = Mutex(State(values: Array(repeating: nil, count: count)))
    }

    func takePiece() -> Int? {
        state.withLock { state in
            guard state.failure == nil, state.next < count else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    func storeResult(_ value: Value, at piece: Int, finished: (Int) -> Void) {
        state.withLock { state in
            state.values[piece] = value
            state.done += 1
            finished(state.done)
        }
    }

    func recordFailure(_ error: Failure, at piece: Int) {
        state.withLock { state in
            if state.failure.map({ piece < $0.piece }) ?? true { state.failure = (piece, error) }
        }
    }

    func takeResults() throws(ParallelRunError<Failure>) -> [Value] {
        let (values, failure) = state.withLock { ($0.values, $0.failure) }
        if let failure { throw .failed(piece: failure.piece, failure.error) }
        let all = values.compactMap { $0 }
        precondition(all.count == count, "without a failure every piece is done")
        return all
    }
}
