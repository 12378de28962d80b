// What can be made to go wrong with simulated agents.

package import API

/// What a controller asks of an agent.
package enum SimulatedCommand: Hashable, Sendable {
    case create, delete, action, migrate
}

package enum SimulatedFailure: Hashable, Sendable {
    /// It is answered with this, and nothing is done.
    case refused(Problem)
    /// It is done, and the connection ends before the answer.
    case answerLost
    /// The connection ends, and nothing is done.
    case requestLost
    /// Of a migration: it begins, and fails at its end with the VM running where it was.
    case failsLater(FailureCode)
}
