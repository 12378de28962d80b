// The destination's door: accepts peers, lets in those with the right certificate, runs their sessions.

package import Host
package import PeerLink

/// Serves the peer protocol on a listening socket, on threads of its own.
package final class PeerServer: Sendable {
    /// Starts at once. `host` is kept until `stop`.
    package init(
        listener: Descriptor, keys: PeerKeys, host: any MigrationHost,
        timing: PeerTiming = PeerTiming()
    ) throws(SystemError) {}

    /// Ends every session that has not been released yet, waits for those that have, and returns with
    /// all threads gone.
    package func stop() {}
}
