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
