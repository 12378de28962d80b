// A migration that the controller was asked for: followed by its operation, in the words of the agent that does it.
//
// The operation decides how it ended. The agent at the source knows more of how it goes: its words are shown where it
// can be asked, and nothing depends on them.

import API
import ArgumentParser
import Clients
import ClusterText
import Host
import Model

struct ControlledMigration {
    private let session: Session
    private let follower: OperationFollower
    private let output: OutputOptions
    private let began = Instant.now

    init(in session: Session, controller: ControllerClient, output: OutputOptions) {
        self.session = session
        self.output = output
        follower = OperationFollower(using: controller, output: output)
    }

    func announceStart(of operation: OperationInfo) throws {
        try follower.announceStart(of: operation)
    }

    /// Follows it to its end; the exit code says what became of the VM.
    func awaitCompletion(of started: OperationInfo) async throws {
        let ended = try await followProgress(of: started)
        if output.output == .json { print(try encodedJSON(of: ended)) }
        let told = await agentMigration(of: ended)
        guard ended.isComplete else { throw commandFailure(for: ended, lastInfo: told) }
        guard output.output == .text else { return }
        print(told?.state == .succeeded ? told.map(migrationReportText) ?? "" : ended.text)
    }

    private func followProgress(of started: OperationInfo) async throws -> OperationInfo {
        let line = ProgressLine(isQuiet: output.output == .json)
        var watch = OperationWatch()
        var operation = started
        while !operation.isOver {
            if !(await followMigration(of: operation, showingOn: line)) {
                let text = watch.progressLine(for: operation, at: (Instant.now - began).seconds)
                await line.displayText(text, part: operation.state.rawValue)
            }
            try await Task.sleep(for: OperationFollower.poll)
            operation = try await follower.fetchOperation(withID: started.id)
        }
        await line.clearLine()
        return operation
    }

    /// Shows an attempt as its agent tells it, to the attempt's end; false when there is no such agent.
    private func followMigration(of operation: OperationInfo, showingOn line: ProgressLine) async
        -> Bool
    {
        guard let move = operation.plan.moves.first(where: { $0.state == .running }),
            let id = move.migration, let agent = session.agentIfReachable(on: move.from)
        else { return false }
        // An agent that does not answer, or has not heard of it yet, leaves it to the operation.
        return (try? await agent.followMigration(withID: id) { await line.displayProgress(of: $0) })
            != nil
    }

    /// How the last attempt ended, by its agent; nil when that cannot be asked.
    private func agentMigration(of operation: OperationInfo) async -> MigrationInfo? {
        guard let move = operation.plan.moves.first, let id = move.migration else { return nil }
        return try? await session.agentIfReachable(on: move.from)?.migration(withID: id)
    }

    private func commandFailure(for operation: OperationInfo, lastInfo last: MigrationInfo?)
        -> CommandFailure
    {
        if let last, last.state != .succeeded { return CommandFailure(ended: last) }
        let move = operation.plan.moves.first
        let why =
            move?.reason ?? operation.plan.left.first?.why ?? operation.detail
            ?? "unknown reason"
        let title = move.map { "\($0.vm) was not moved" } ?? operation.title
        return CommandFailure(
            operation.state == .cancelled ? .cancelled : .notMigrated,
            code: operation.state == .cancelled ? "cancelled" : "not_migrated",
            message: "\(title): \(why)")
    }
}

extension CommandFailure {
    /// Of a migration that ended without moving its VM.
    init(ended: MigrationInfo) {
        let failure = ended.failure
        let code = failure?.code ?? "failed"
        let message = failure?.message ?? "unknown reason"
        // It may even run on the other host: nothing is said of where it is.
        if failure?.vmIsRunning == false {
            self.init(
                .vmNotRunning, code: code,
                message: "the migration of \(ended.vm) failed: \(message)")
        } else {
            self.init(
                ended.state == .cancelled ? .cancelled : .notMigrated, code: code,
                message: "\(ended.vm) was not moved: \(message)")
        }
    }
}

func migrationReportText(of ended: MigrationInfo) -> String {
    ended.report.map { reportText(for: $0, migration: ended) }
        ?? "\(ended.vm) runs on \(ended.destination); the agent of \(ended.source) ended before it could report more"
}
