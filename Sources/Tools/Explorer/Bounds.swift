// The bounds of an exploration: what takes part, what may happen, and how often.

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
    /// How often a driver asks before it leaves that to the agent.
    package var questions = 2
    /// Rounds after which another follows.
    package var earlyRounds = 0
    package var hasController = false
    /// An operator takes a VM over from a host that may be alive: two may run until the notice arrives.
    package var operatorMayErr = false
    /// The VM must migrate whatever happens.
    package var mustMove = false
    package var faults = Faults(together: 0, each: [:])

    package init() {}
}
