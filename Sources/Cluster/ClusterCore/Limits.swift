// Every bound of this target.

enum Limits {
    static let entriesPerPage = 1000
    static let hostsMax = 10_000
    static let vmsMax = 200_000
    static let groupsMax = 10_000
    static let labelsMax = 64
    static let groupsOfVMMax = 16
    static let wordBytesMax = 100
    static let tokensMax = 1000
    /// Operations that are over and still shown.
    static let operationsKept = 200

    /// Of one operation: its record is one value of the store, and each of its moves takes several hundred bytes there.
    static let movesOfOperationMax = 1000
    /// VMs that an operation's last word names one by one.
    static let namesInDetailMax = 10
    /// How often a move is tried.
    static let attemptsMax = 5
    /// Between attempts of one move: twice as long each time.
    static let attemptBackOffFirst = Duration.seconds(2)
    static let attemptBackOffMax = Duration.seconds(30)
    /// A VM that for so long cannot be moved now, for something that should pass, is not waited for any more.
    static let holdMax = Duration.seconds(60)
    /// A source that for so long does not say that it began a migration is told to end it; twice as long, and the
    /// operation goes on without it.
    static let unconfirmedMax = Duration.seconds(60)
    /// The figures of a move whose VM runs at its destination are waited for, while the source is not ready with it.
    static let figuresAwaitedMax = Duration.seconds(60)
    static let operationsUnderWayMax = 1000
    /// Migrations of fewer bytes say little about the engine's speed.
    static let bytesForSpeed = 64.0 * 1_048_576
    static let engineSpeeds = 1e6...1e11
    static let fixedSeconds = 0.01...30.0
    static let fixedDowntimes = 0.0005...5.0
    /// New plans of a drain that bring nothing under way.
    static let plansInVainMax = 3
    /// An operation's progress is stored no more often.
    static let progressStoredEvery = Duration.seconds(1)

    static let heartbeatsMissedMax = 3
    /// Clocks of one datacentre's machines are at worst this part apart in speed.
    static let clockDriftDivisor = 100
    static let fenceMargin = Duration.seconds(2)
    /// VMs that are looked at again in one tick.
    static let reconciledPerTick = 1000
    static let vmsOfHostMax = 5000
    /// What the agents of a migration need beside the guest's memory.
    static let migrationOverheadBytes = 64 << 20
    /// Of an unanswered or refused command.
    static let commandBackOffFirst = Duration.milliseconds(250)
    static let commandBackOffMax = Duration.seconds(10)
    /// Of a VM that ends again and again.
    static let restartBackOffFirst = Duration.seconds(1)
    static let restartBackOffMax = Duration.seconds(300)
    /// A VM that ran for so long starts its back-off anew.
    static let restartForgivenAfter = Duration.seconds(600)
    /// Of a host that refused to start a VM.
    static let refusalBackOffMax = Duration.seconds(60)
    /// A VM that its host does not have any more for so long is lost.
    static let missingAfter = Duration.seconds(15)
    /// Weight of a new measurement against all before it.
    static let smoothing = 0.3
}
