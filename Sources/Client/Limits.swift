/// Bounds of the client.
package enum Limits {
    package static let connectTimeout = Duration.seconds(5)
    /// For an answer that is no stream. Saving a large guest takes long.
    package static let answerTimeout = Duration.seconds(60)
    package static let saveTimeout = Duration.seconds(900)
    package static let idleConnection = Duration.seconds(20)
    /// Agents that an `AgentPool` keeps a client for though nobody uses it.
    package static let idleAgentsMax = 128
    package static let eventLineBytesMax = 1 << 20
}
