// The waits and pauses of the agent. They are tuning: another value changes how fast the agent reacts, not what it
// accepts.

import Model

enum Timing {
    /// How long a new ferry-vmm may take until it answers. It allocates the guest's memory meanwhile.
    static func vmmStartLimit(for spec: VMSpec) -> Duration { .seconds(30) + spec.hugePageTime }
    static let vmmRestore = Duration.seconds(600)
    static let vmmStartPoll = Duration.milliseconds(3)
    /// From `quit` to SIGKILL.
    static let vmmStop = Duration.seconds(5)
    /// How long console input waits for a guest that does not read, and how often it is offered.
    static let consoleInput = Duration.seconds(5)
    static let consoleInputPoll = Duration.milliseconds(20)
    /// Between queries to another host that does not answer.
    static let resolution = Backoff(first: .seconds(1), longest: .seconds(30))
    /// Between reports when no controller answers.
    static let reportRetry = Backoff(first: .milliseconds(250), longest: .seconds(5))
    /// Between two reports, however much changes.
    static let newsPause = Duration.milliseconds(300)
    /// The load is measured over at least this time.
    static let loadWindow = Duration.seconds(1)
    /// How long a controller may take to answer: a quarter of the host's lease, within this range.
    static let reportTimeout = Duration.milliseconds(500)...Duration.seconds(3)
    /// How long a shutdown waits for migrations that can no longer be cancelled.
    static let shutdown = Duration.seconds(30)
}
