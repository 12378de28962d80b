// The part of a migration that other threads see: its progress, and the word "cancel".

import Host
import Model
import Synchronization

/// Shared by a migration's own thread and those that watch it.
final class MigrationWatch: Sendable {
    private struct State {
        var progress = MigrationProgress()
        var isCancelled = false
        var isReleased = false
        var isEnded = false
        var stop: (any WakeFlag)?
        var news: (any WakeFlag)?
    }

    private let state: Mutex<State>

    init(memoryBytes: UInt64) {
        var progress = MigrationProgress()
        progress.memoryBytes = memoryBytes
        state = Mutex(State(progress: progress))
    }

    var progress: MigrationProgress { state.withLock { $0.progress } }

    func updateProgress(applying change: (inout MigrationProgress) -> Void) {
        state.withLock { change(&$0.progress) }
    }

    func beginMigration(stop: any WakeFlag, news: any WakeFlag) {
        state.withLock {
            $0.stop = stop
            $0.news = news
            if $0.isCancelled { stop.setFlag() }
        }
    }

    func endMigration() {
        state.withLock {
            $0.isEnded = true
            $0.stop = nil
            $0.news = nil
        }
    }

    func requestCancellation() throws(CancelRefusal) {
        try state.withLock { (state) throws(CancelRefusal) in
            if state.isEnded { throw .ended }
            if state.isReleased { throw .released }
            state.isCancelled = true
            state.stop?.setFlag()
            state.news?.setFlag()
        }
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Before `released` is written: from here on a cancel is refused. False when one came before.
    func releaseUnlessCancelled() -> Bool {
        state.withLock {
            if $0.isCancelled { return false }
            $0.isReleased = true
            return true
        }
    }

    /// The release was not written after all.
    func revokeRelease() { state.withLock { $0.isReleased = false } }
}
