// The part of a migration that other threads use: its progress and its cancel flag.

import Host
import Model
import Synchronization

/// Shared by the migration's own thread and the threads that watch it.
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

    /// Called before `released` is written: from here on a cancel is refused. False if one arrived before.
    func releaseUnlessCancelled() -> Bool {
        state.withLock {
            if $0.isCancelled { return false }
            $0.isReleased = true
            return true
        }
    }

    /// The release was not written.
    func revokeRelease() { state.withLock { $0.isReleased = false } }
}
