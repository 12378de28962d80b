// Every bound of a connection to a peer.

/// Bounds of peer connections.
package enum Limits {
    /// From the accepted or connected socket to the finished TLS handshake.
    package static let handshakeTimeout = Duration.seconds(5)
    /// The kernel counts at most 127 unanswered probes, one a second.
    static let deadPeerMax = Duration.seconds(120)
    /// After a refusal: how long, and for how much, the peer is listened to so that it can read our words.
    static let lingerTimeout = Duration.milliseconds(500)
    static let lingerBytesMax = 1 << 20
    static let drainInterval = Duration.microseconds(200)
    static let keyFileBytesMax = 1 << 20
    /// Socket buffers: enough for 10 Gb/s at 3 ms, small enough to know early what a link can do.
    static let socketBufferBytes: Int32 = 2 << 20
    /// What OpenSSL reads from the socket at once: two records. With more it moves what is left in its buffer
    /// after each record, which costs more than the calls that are saved.
    static let readBufferBytes = 36 << 10
    static let uriBytesMax = 512
}
