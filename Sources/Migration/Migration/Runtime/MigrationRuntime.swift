// What a migration runs on: time, flags to wait for, threads, chance, and the way to its peers.
//
// Whatever blocks, reads the time or rolls dice in this target goes through here (a ledger and a guest are handed
// in by themselves). SystemRuntime is the host's own; a simulation has one whose time is virtual and whose threads
// run one at a time.

package import Host
package import PeerLink

package protocol MigrationRuntime: AnyObject, Sendable {
    /// Never jumps.
    var now: Instant { get }

    func makeWakeFlag() throws(SystemError) -> any WakeFlag

    /// Runs `body` to its end on a thread of its own.
    /// - Parameter nice: how much the thread gives way to others.
    func startThread(
        name: String, nice: Int32, body: @escaping @Sendable () -> Void
    ) throws(SystemError) -> any RunningThread

    /// The calling thread gives way to others from now on.
    func lowerPriority(nice: Int32)

    /// Nobody can guess it.
    func randomWord() -> UInt64

    /// Connects and makes sure that the peer is the agent of the host that is meant.
    /// - Parameter flag: while it is set, every wait of this link ends with `.interrupted`.
    func openConnection(
        to peer: PeerAddress, within limit: Duration, silenceMax: Duration,
        interruptedBy flag: any WakeFlag
    ) throws(LinkError) -> any Link
}

/// Ends a wait. Any thread sets it; it stays set until it is cleared.
package protocol WakeFlag: AnyObject, Sendable {
    /// Never waits: it may be called with a lock held.
    func setFlag()
    func clearFlag()
    /// Waits until it is set; false when the time is over first.
    func waitUntilSet(before end: Instant) throws(SystemError) -> Bool
}

package protocol RunningThread: AnyObject, Sendable {
    /// Waits until its function has returned. Call once.
    func joinThread()
}
