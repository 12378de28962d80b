// All limits of a connection to a peer.

/// Limits of peer connections.
package enum Limits {
    /// From the accepted or connected socket to the finished TLS handshake.
    package static let handshakeTimeout = Duration.seconds(5)
    /// The kernel counts at most 127 unanswered probes, one per second.
    static let deadPeerMax = Duration.seconds(120)
    /// After a refusal: for how long, and how much, data of the peer is read so that it can receive our message.
    static let lingerTimeout = Duration.milliseconds(500)
    static let lingerBytesMax = 1 << 20
    static let drainInterval = Duration.microseconds(200)
    static let keyFileBytesMax = 1 << 20
    /// Socket buffers: large enough for 10 Gb/s at 3 ms, small enough to measure the link's throughput early.
    static let socketBufferBytes: Int32 = 2 << 20
    /// What OpenSSL reads from the socket at once: two records. With more, it moves the remaining data in its buffer
    /// after each record, which costs more than the saved calls.
    static let readBufferBytes = 36 << 10
    static let uriBytesMax = 512
}
