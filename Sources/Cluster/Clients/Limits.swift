/// Bounds of the client.
package enum Limits {
    package static let connectTimeout = Duration.seconds(5)
    /// For an answer that is no stream. Saving a large guest takes long.
    package static let answerTimeout = Duration.seconds(60)
    package static let saveTimeout = Duration.seconds(900)
    package static let idleConnection = Duration.seconds(20)
    /// For one controller's answer: when it takes longer, another one may lead.
    package static let controllerAnswer = Duration.seconds(15)
    /// Of a stream of events, which has a line every 15 seconds at least.
    package static let controllerSilence = Duration.seconds(45)
    /// For how long a cluster without a leader is asked again, and the pause between two rounds.
    package static let leaderPatience = Duration.seconds(12)
    package static let leaderPause = Duration.milliseconds(200)
    /// Agents that an `AgentPool` keeps a client for though nobody uses it.
    package static let idleAgentsMax = 128
    /// The plan of a large operation stands in one line: as much as an answer may hold.
    package static let eventLineBytesMax = 8 << 20
}
