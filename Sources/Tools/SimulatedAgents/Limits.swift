/// Bounds of simulated agents.
enum Limits {
    static let bodyBytesMax = 64 << 10
    /// Ended migrations that a host remembers.
    static let historyMax = 64
    static let backlog: Int32 = 128
    /// Before a heartbeat that failed is tried again.
    static let retry = Duration.milliseconds(500)
    static let intervalUsual = Duration.seconds(1)
}
