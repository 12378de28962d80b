// One migration of a run, as the operator who asked for it sees it.

import Migration
import Model

/// `@unchecked`: whoever holds the baton may touch it.
final class Attempt: @unchecked Sendable {
    let vm: SimVM
    let from: SimHost
    let to: SimHost
    private let migration: SourceMigration
    var result: Result<MigrationReport, MigrationFailure>?
    /// It has ended, or its agent has.
    var isOver = false
    /// When a cancel was accepted.
    private(set) var cancelledAt: UInt64?
    private(set) var cancelRefusal: CancelRefusal?

    init(_ migration: SourceMigration, vm: SimVM, from: SimHost, to: SimHost) {
        self.migration = migration
        self.vm = vm
        self.from = from
        self.to = to
    }

    func cancel(at now: UInt64) {
        do throws(CancelRefusal) {
            try migration.requestCancellation()
            cancelledAt = cancelledAt ?? now
        } catch { cancelRefusal = error }
    }
}
