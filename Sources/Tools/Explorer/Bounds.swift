// The bounds of an exploration: who plays, what may happen, and how often.

/// What is explored.
package struct Bounds: Sendable {
    /// Migrations and rehearsals that are begun.
    package var migrations: UInt8 = 1
    /// A migration may also begin on D, once the VM is there.
    package var movesBack = false
    package var rehearses = false
    /// Memory of a broken attempt is kept.
    package var parks = false
    package var reconnects = 0
    /// Asked by a driver before it leaves that to the agent.
    package var questions = 2
    /// Rounds after which another follows.
    package var earlyRounds = 0
    package var hasController = false
    /// An operator rules against a host that may be alive: two may run until the notice gets through.
    package var operatorMayErr = false
    /// Nothing that may happen keeps the VM from moving.
    package var mustMove = false
    package var faults = Faults(0, [:])
}
