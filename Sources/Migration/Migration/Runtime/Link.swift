// A connection to a peer and the door that peers come in by, as the drivers see them.

package import Host
package import Model
package import PeerLink

/// Bytes to and from one peer that is known by name; every wait is bounded. For one thread at a time. It is
/// cut when the last reference goes.
package protocol Link: AnyObject, Sendable {
    /// Who is at the other end.
    var peer: Identity { get }
    /// How long the peer may be silent in one wait.
    var silenceMax: Duration { get set }

    /// Sends all of it.
    func sendBytes(_ bytes: RawSpan) throws(LinkError)
    /// Fills all of it.
    func receiveBytes(into buffer: inout MutableRawSpan) throws(LinkError)

    /// From now on waits end while `flag` is set.
    func setInterruptFlag(_ flag: any WakeFlag)
    /// Waits until there is input or an end to receive (`.ready`), `news` is set, or the time is over.
    func waitForInput(
        wakingOn news: any WakeFlag, until end: Instant
    ) throws(LinkError) -> WaitResult

    /// While corked, little is held back until there is much.
    func setCorking(enabled isCorked: Bool) throws(LinkError)
    /// Waits until the peer's host has taken all that was sent.
    func waitForDelivery() throws(LinkError)

    /// Says goodbye. Does not wait.
    func close()
    /// Says goodbye, and waits a moment so that the last words are not lost.
    func closeGently()
}

extension Link {
    package func sendBytes(_ bytes: [UInt8]) throws(LinkError) {
        try sendBytes(unsafe bytes.span.bytes)
    }

    package func receiveBytes(count: Int) throws(LinkError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        try receiveBytes(into: &raw)
        return bytes
    }
}

/// Where peers knock.
package protocol LinkListener: AnyObject, Sendable {
    /// Peers are of this cluster, or have no business here.
    var cluster: ClusterName { get }
    /// The next that knocks; nil when `flag` is set or the time is over first.
    func acceptArrival(
        wakingOn flag: any WakeFlag, until end: Instant
    ) throws(SystemError) -> (any ArrivingLink)?
}

/// A peer that knocked and has not said who it is. It is turned away when the last reference goes.
package protocol ArrivingLink: AnyObject, Sendable {
    /// Finds out who it is; whether it may be here is for the caller to check.
    func completeHandshake(
        silenceMax: Duration, interruptedBy flag: any WakeFlag
    ) throws(LinkError) -> any Link
}
