// What is told to a migration: where to, and how.

package import Host
package import Model

/// Where a destination listens, and who must be there.
package struct PeerAddress: Hashable, Sendable {
    package var name: HostName
    package var address: SocketAddress

    package init(name: HostName, address: SocketAddress) {
        self.name = name
        self.address = address
    }
}

/// What a user may set. Everything else is measured.
package struct MigrationOptions: Hashable, Sendable {
    package var streams: Int
    package var compression: Compression
    /// Nil: what the VM's spec says.
    package var downtimeLimit: Duration?
    package var timing: PeerTiming

    package init(
        streams: Int = 2, compression: Compression = .auto, downtimeLimit: Duration? = nil,
        timing: PeerTiming = PeerTiming()
    ) {
        self.streams = streams
        self.compression = compression
        self.downtimeLimit = downtimeLimit
        self.timing = timing
    }
}

/// How long a silent peer is waited for.
package struct PeerTiming: Hashable, Sendable {
    package var connect = Duration.seconds(5)
    /// Before the handover.
    package var deadPeer = Duration.seconds(10)
    /// From pause to resume.
    package var deadPeerInHandover = Duration.seconds(3)
    /// After a lost answer: how often to ask, and how long to wait between.
    package var questionsMax = 5
    package var questionPause = Duration.milliseconds(500)

    package init() {}
}
