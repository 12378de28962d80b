// The options of a migration: its destination and its parameters.

package import Host
package import Model

/// The address of a destination, and the host that must answer there.
package struct PeerAddress: Hashable, Sendable {
    package var name: HostName
    package var address: SocketAddress

    package init(name: HostName, address: SocketAddress) {
        self.name = name
        self.address = address
    }
}

/// The options that a user may set. Everything else is measured.
package struct MigrationOptions: Hashable, Sendable {
    package var streams: Int
    package var compression: Compression
    /// Nil: the limit in the VM's spec.
    package var downtimeLimit: DowntimeLimit?
    package var timing: PeerTiming
    /// Everything except the handover.
    package var isRehearsal: Bool
    /// Hash the source's memory again after the handover (post-migration verification).
    package var verifiesMemory: Bool

    package init(
        streams: Int = 2, compression: Compression = .auto, downtimeLimit: DowntimeLimit? = nil,
        timing: PeerTiming = PeerTiming(), isRehearsal: Bool = false, verifiesMemory: Bool = true
    ) {
        self.verifiesMemory = verifiesMemory
        self.isRehearsal = isRehearsal
        self.streams = streams
        self.compression = compression
        self.downtimeLimit = downtimeLimit
        self.timing = timing
    }
}

/// How long a silent peer is tolerated.
package struct PeerTiming: Hashable, Sendable {
    package var connect = Duration.seconds(5)
    /// Before the handover.
    package var deadPeer = Duration.seconds(10)
    /// From pause to resume.
    package var deadPeerInHandover = Duration.seconds(3)
    /// After a lost answer: how often the source asks, and the pause between attempts.
    package var questionsMax = 5
    package var questionPause = Duration.milliseconds(500)
    /// After a loss in pre-copy: for how long, and how often, the source tries to reconnect. The pauses double.
    package var reconnectFor = Duration.seconds(30)
    package var reconnectsMax = 20
    package var reconnectPauseMin = Duration.milliseconds(200)
    package var reconnectPauseMax = Duration.seconds(2)
    /// How long a destination retains received memory after a loss. Longer than a source tries to reconnect.
    package var suspensionLimit = Duration.seconds(60)

    package init() {}

    /// The pause before this attempt to reconnect, from 1.
    func reconnectPause(beforeAttempt attempt: Int) -> Duration {
        min(reconnectPauseMin * (1 << min(attempt - 1, 16)), reconnectPauseMax)
    }
}
