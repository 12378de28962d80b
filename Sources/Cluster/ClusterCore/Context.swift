// One call of the cluster: the moment at which it happens, and what it asks for. Every operation that changes something
// takes it `inout`, so that no part keeps a clock or an outbox of its own.

package struct Context: Sendable {
    package var now: Moment
    package private(set) var output = Output()

    package init(now: Moment) { self.now = now }

    /// This record was changed, made or removed.
    mutating func markRecordChanged(under key: RecordKey) { output.markRecordChanged(under: key) }
    mutating func sendCommand(_ command: AgentCommand) { output.appendCommand(command) }
    mutating func reportEvent(_ news: ClusterLogEvent) { output.appendEvent(news) }
}
