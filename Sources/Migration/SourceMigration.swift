// One migration, at its source: the agent makes it, runs it on a thread, watches it and may cancel it.

package import Host
package import Model
package import PeerLink

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

/// Why a migration can no longer be cancelled.
package enum CancelRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The VM was released to the destination: it may run there by now.
    case released
    case ended

    package var description: String {
        switch self {
        case .released: "too late to cancel: the VM has been released to the destination"
        case .ended: "the migration has ended"
        }
    }
}

/// Moves a VM away. Make one, call `run` once on a thread that may block.
package final class SourceMigration: Sendable {
    package let id: MigrationID

    /// - Parameter epoch: the epoch in which `ledger` says that this host owns the VM.
    package init(
        id: MigrationID = .random(), vm: VMID, epoch: Epoch, guest: any SourceGuest,
        to destination: PeerAddress, keys: PeerKeys, ledger: any OwnershipLedger,
        options: MigrationOptions = MigrationOptions()
    ) {
        self.id = id
    }

    /// Returns with the VM running at the destination and `handedOver` in the ledger: end the source's
    /// process. Throws with what `MigrationFailure.aftermath` says.
    package func run() throws(MigrationFailure) -> MigrationReport {
        throw MigrationFailure(phase: .connect, reason: .cancelled, aftermath: .runsAtSource(.first))
    }

    /// Any thread, any time.
    package var progress: MigrationProgress { MigrationProgress() }

    /// Ends the migration soon; `run` then throws `.cancelled` with the VM running at the source.
    package func cancel() throws(CancelRefusal) {}
}
