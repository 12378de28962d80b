// Bugs that a test plants in the simulated parts, to see that the simulation finds them.

package enum Plant: CaseIterable, Sendable {
    case none
    /// The ledger says "written" when the record is in the page cache.
    case forgetsDurability
    /// A destination that does not answer is taken for one that never ran the VM.
    case silenceIsRefusal
    /// Pages that were written after the log was fetched are forgotten with the others.
    case clearsTooMuch
    /// The guest goes on for a moment after it was asked to pause.
    case pausesTooLate
    /// A source agent that dies in the handover lets its guest run, released or not.
    case forgetsToSeal
    /// The guest runs at its destination as soon as its state is there.
    case runsWhenLoaded
    /// An agent that starts resumes what it finds paused, without a look at the ledger.
    case resumesReleased
}
