// The connections of a source to its destination: the control connection and the data streams.

import Host
import MigrationProtocol
import Model
import PeerLink

/// The connections that are open. For the driver's thread.
struct SourceConnection {
    /// Set by a stream when the driver's thread should check its round.
    let news: any WakeFlag
    private let dialer: PeerDialer
    private(set) var control: (any Link)?
    private(set) var streams: SourceStreams?
    /// The shortest time until a hello was answered.
    private(set) var roundTrip = Duration.zero
    private var lastAlive: Instant

    init(dialer: PeerDialer, news: any WakeFlag) {
        self.dialer = dialer
        self.news = news
        lastAlive = dialer.runtime.now
    }

    mutating func openControl() throws(DialError) {
        (control, roundTrip) = try dialer.openConnection(for: .control)
    }

    mutating func openStream(number stream: Int, token: [UInt8]) throws(DialError) -> any Link {
        let (connection, answered) = try dialer.openConnection(
            for: .data(token: token, stream: stream))
        roundTrip = min(roundTrip, answered)
        return connection
    }

    mutating func attachStreams(_ streams: SourceStreams) { self.streams = streams }

    /// A connection that was lost has been replaced.
    mutating func markReconnected(at now: Instant) { lastAlive = now }

    /// Shows the destination periodically that this host is alive.
    mutating func sendAlive(
        round: Int, remainingBytes: UInt64, at now: Instant
    ) throws(LinkError) {
        guard now - lastAlive >= Limits.aliveInterval else { return }
        lastAlive = now
        try control?.sendMessage(.alive(round: round, remainingBytes: remainingBytes))
    }

    /// Ends all waits and closes all connections. Returns the streams that were open; their threads have ended.
    mutating func closeAllConnections() -> SourceStreams? {
        dialer.stop.setFlag()
        let closed = streams
        closed?.stopStreams()
        streams = nil
        control?.close()
        control = nil
        return closed
    }
}
