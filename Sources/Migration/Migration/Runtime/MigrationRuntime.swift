// What a migration runs on: time, flags to wait for, threads, random numbers, and connections to its peers.
//
// Everything in this target that blocks, reads the time or uses random numbers does so through this protocol (a ledger
// and a guest are passed separately). SystemRuntime uses the host; a simulation has a runtime with virtual time, whose
// threads run one at a time.

package import Host
package import PeerLink

package protocol MigrationRuntime: AnyObject, Sendable {
    /// Never jumps.
    var now: Instant { get }

    func makeWakeFlag() throws(SystemError) -> any WakeFlag

    /// Runs `body` to its end on its own thread.
    /// - Parameter nice: the nice value of the thread.
    func startThread(
        name: String, nice: Int32, body: @escaping @Sendable () -> Void
    ) throws(SystemError) -> any RunningThread

    /// Lowers the priority of the calling thread.
    func lowerPriority(nice: Int32)

    /// Cryptographically secure random bytes.
    func randomWord() -> UInt64

    /// Connects and verifies that the peer is the agent of the expected host.
    /// - Parameter flag: while it is set, every wait of this link ends with `.interrupted`.
    func openConnection(
        to peer: PeerAddress, within limit: Duration, silenceMax: Duration,
        interruptedBy flag: any WakeFlag
    ) throws(LinkError) -> any Link
}

/// Ends a wait. Any thread may set it; it stays set until it is cleared.
package protocol WakeFlag: AnyObject, Sendable {
    /// Never waits: it may be called while a lock is held.
    func setFlag()
    func clearFlag()
    /// Waits until it is set; false if the time has passed first.
    func waitUntilSet(before end: Instant) throws(SystemError) -> Bool
}

package protocol RunningThread: AnyObject, Sendable {
    /// Waits until its function has returned. Call once.
    func joinThread()
}
