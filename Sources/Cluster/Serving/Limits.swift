// Every bound of this target.

/// Bounds of the servers.
package enum Limits {
    package static let headerBytesMax = 16 << 10
    package static let headersMax = 64
    package static let idleConnection = Duration.seconds(60)
    /// How long a client may take to say goodbye when the server shuts down.
    package static let goodbye = Duration.milliseconds(300)
}
