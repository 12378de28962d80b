// The migrations away from this host that are not over: being started, running, or being verified afterwards.

import API
import Migration
import Model

struct OutgoingTable {
    /// Each holds its guest's memory and a connection to the guest's process.
    private var running: [MigrationID: SourceMigration] = [:]
    /// Migrations that are over, during their post-migration verification.
    private var verifying: [MigrationID: SourceMigration] = [:]
    /// Between the check of the limit and `insert`.
    private var starting = 0
    private var startingIDs: Set<MigrationID> = []
    private(set) var isAccepting = true
    /// Resumed when no migration is left.
    private var waiters: [CheckedContinuation<Void, Never>] = []

    var isEmpty: Bool { running.isEmpty && verifying.isEmpty && starting == 0 }

    func runningMigration(withID id: MigrationID) -> SourceMigration? { running[id] }

    // MARK: Starting

    /// Returns false when a migration of this id is being started already.
    mutating func beginRequest(withID id: MigrationID) -> Bool { startingIDs.insert(id).inserted }

    mutating func endRequest(withID id: MigrationID) { startingIDs.remove(id) }

    /// Throws when the host takes no more migrations now. End with `endStart`.
    mutating func beginStart(on host: HostName) throws(Problem) {
        try requireAccepting()
        let count = running.count + starting
        guard count < Limits.outgoingMigrationsMax else {
            throw Problem(
                .vmBusy, detail: "host \(host) runs \(count) migrations already, its limit")
        }
        starting += 1
    }

    mutating func endStart() {
        starting -= 1
        wakeWaiters()
    }

    func requireAccepting() throws(Problem) {
        guard isAccepting else {
            throw Problem(.shuttingDown, detail: "the agent is shutting down")
        }
    }

    // MARK: Running

    mutating func insertMigration(_ migration: SourceMigration) {
        running[migration.id] = migration
    }

    mutating func removeMigration(withID id: MigrationID) {
        running[id] = nil
        wakeWaiters()
    }

    // MARK: Verifying

    mutating func beginVerification(of migration: SourceMigration) {
        verifying[migration.id] = migration
        if !isAccepting { migration.stopVerification() }
    }

    func isVerifyingMigration(withID id: MigrationID) -> Bool { verifying[id] != nil }

    mutating func endVerification(withID id: MigrationID) {
        verifying[id] = nil
        wakeWaiters()
    }

    // MARK: Shutdown

    /// Accepts no more migrations, cancels those that can be cancelled, and stops verifications.
    mutating func beginShutdown() {
        isAccepting = false
        for migration in running.values {
            // A migration that is past its handover cannot be cancelled; the shutdown waits for it.
            try? migration.requestCancellation()
        }
        for migration in verifying.values { migration.stopVerification() }
    }

    mutating func addWaiter(_ waiter: CheckedContinuation<Void, Never>) { waiters.append(waiter) }

    private mutating func wakeWaiters() {
        guard isEmpty else { return }
        for waiter in waiters { waiter.resume() }
        waiters = []
    }
}
