// A connection to a peer, and the listener that accepts peers, as the drivers use them.

package import Host
package import Model
package import PeerLink

/// A byte stream to and from one identified peer; every wait is bounded. For one thread at a time. The connection is
/// cut when the last reference is released.
package protocol Link: AnyObject, Sendable {
    /// The identity of the peer.
    var peer: Identity { get }
    /// How long the peer may be silent in one wait.
    var silenceMax: Duration { get set }

    /// Sends all bytes.
    func sendBytes(_ bytes: RawSpan) throws(LinkError)
    /// Fills the whole buffer.
    func receiveBytes(into buffer: inout MutableRawSpan) throws(LinkError)

    /// From now on waits end while `flag` is set.
    func setInterruptFlag(_ flag: any WakeFlag)
    /// Waits until there is data or an end to receive (`.ready`), `news` is set, or the time has passed.
    func waitForInput(
        wakingOn news: any WakeFlag, until end: Instant
    ) throws(LinkError) -> WaitResult

    /// While corked, small amounts of data are held back until there is more.
    func setCorking(enabled isCorked: Bool) throws(LinkError)
    /// Waits until the peer's host has acknowledged everything that was sent.
    func waitForDelivery() throws(LinkError)

    /// Closes the connection properly. Does not wait.
    func close()
    /// Closes the connection properly, and waits briefly so that the last messages are not lost.
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

/// Listens for peers.
package protocol LinkListener: AnyObject, Sendable {
    /// Peers must be in this cluster; others are refused.
    var cluster: ClusterName { get }
    /// The next connection; nil if `flag` is set or the time has passed first.
    func acceptArrival(
        wakingOn flag: any WakeFlag, until end: Instant
    ) throws(SystemError) -> (any ArrivingLink)?
}

/// A connection whose peer is not identified yet. It is closed when the last reference is released.
package protocol ArrivingLink: AnyObject, Sendable {
    /// Identifies the peer; the caller checks whether it is allowed.
    func completeHandshake(
        silenceMax: Duration, interruptedBy flag: any WakeFlag
    ) throws(LinkError) -> any Link
}
