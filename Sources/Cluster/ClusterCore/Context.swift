// One call of the cluster: the moment at which it happens, and what it asks for. Every operation that changes something
// takes it `inout`, so that no part keeps a clock or an outbox of its own.

package struct Context: Sendable {
    package var now: Moment
    package private(set) var output = Output()

    package init(now: Moment) { self.now = now }

    /// This record was changed, made or removed.
    mutating func markChanged(_ key: RecordKey) { output.markChanged(key) }
    mutating func send(_ command: AgentCommand) { output.send(command) }
    mutating func report(_ news: ClusterNews) { output.report(news) }
}
