/// Bounds of simulated agents.
enum Limits {
    static let bodyBytesMax = 64 << 10
    static let answerBytesMax = 1 << 20
    /// Ended migrations that a host remembers.
    static let historyMax = 64
    static let backlog: Int32 = 128
    static let connectTimeoutSeconds: Int64 = 5
    static let answerTimeoutSeconds: Int64 = 30
    /// Longer than a heartbeat's interval: each agent keeps its connection.
    static let idleSeconds: Int64 = 90
    /// Before a heartbeat that failed is tried again.
    static let retry = Duration.milliseconds(500)
    static let intervalUsual = Duration.seconds(1)
}
