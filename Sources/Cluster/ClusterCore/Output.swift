// What the cluster asks for: records to store, commands to agents, and news for metrics and logs. The driver stores
// first; only then it answers the caller and sends the commands.

package import API
package import Model

/// Matches a command with its result.
package typealias CommandID = UInt64

/// An order to an agent. Each may be sent again, and changes nothing then.
package struct AgentCommand: Hashable, Sendable {
    package enum Order: Hashable, Sendable {
        case create(CreateVM)
        case perform(VMAction, VMName)
        /// Only if the VM of that name has this id.
        case delete(VMName, VMID)
        case migrate(StartMigration)
        case cancelMigration(MigrationID)
        /// What became of it.
        case askMigration(MigrationID)
        case recover(RecoverVM, VMName)
    }

    package var id: CommandID
    package var host: HostName
    /// "IP:PORT"
    package var apiAddress: String
    package var vm: VMID
    package var order: Order
}

package enum CommandResult: Hashable, Sendable {
    case done
    case vm(VMInfo)
    case migration(MigrationInfo)
    /// The agent refused: nothing was done.
    case refused(Problem)
    /// No answer: it may have been done, or not.
    case unanswered(String)
}

/// Events for metrics and logs.
package enum ClusterLogEvent: Hashable, Sendable {
    case migrationEnded(MigrationInfo, predicted: MovePrediction?)
    case placed(VMName, on: HostName)
    case notPlaced(VMName, reason: String)
    case hostChanged(HostName, HostState)
    case vmRestarted(VMName, on: HostName, reason: String)
    case commandFailed(VMName, HostName, String)
    case operationEnded(OperationInfo)
}

/// Collects what one batch of calls asks for; what a call has put there counts also when it throws.
package struct Output: Sendable {
    /// Records that were changed, made or removed: read from the cluster when they are stored.
    package private(set) var changed: Set<RecordKey> = []
    package private(set) var commands: [AgentCommand] = []
    package private(set) var events: [ClusterLogEvent] = []

    init() {}

    mutating func markRecordChanged(under key: RecordKey) { changed.insert(key) }
    mutating func appendCommand(_ command: AgentCommand) { commands.append(command) }
    mutating func appendEvent(_ news: ClusterLogEvent) { self.events.append(news) }
}
