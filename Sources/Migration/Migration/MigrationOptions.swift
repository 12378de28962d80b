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
    package var downtimeLimit: DowntimeLimit?
    package var timing: PeerTiming
    /// Everything but the handover.
    package var isRehearsal: Bool
    /// After the handover the source's memory is looked at once more.
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
    /// After a loss in pre-copy: how long the source tries to connect again, and how often at most. The pauses
    /// between double.
    package var reconnectFor = Duration.seconds(30)
    package var reconnectsMax = 20
    package var reconnectPauseMin = Duration.milliseconds(200)
    package var reconnectPauseMax = Duration.seconds(2)
    /// How long a destination keeps what arrived before a loss. Longer than a source tries.
    package var suspensionLimit = Duration.seconds(60)

    package init() {}

    /// Before this attempt to connect again, from 1.
    func reconnectPause(beforeAttempt attempt: Int) -> Duration {
        min(reconnectPauseMin * (1 << min(attempt - 1, 16)), reconnectPauseMax)
    }
}
