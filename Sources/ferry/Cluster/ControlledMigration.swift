// A migration that the controller was asked for: followed by its operation, in the words of the agent that does it.
//
// The operation decides how it ended. The agent at the source knows more of how it goes: its words are shown where it
// can be asked, and nothing depends on them.

import API
import ArgumentParser
import Client
import ClusterText
import Model

struct ControlledMigration {
    private let session: Session
    private let follower: OperationFollower
    private let output: OutputOptions

    init(_ session: Session, _ controller: ControllerClient, _ output: OutputOptions) {
        self.session = session
        self.output = output
        follower = OperationFollower(controller, output)
    }

    func printStarted(_ operation: OperationInfo) throws { try follower.printStarted(operation) }

    /// Follows it to its end; the exit code says what became of the VM.
    func finish(_ started: OperationInfo) async throws {
        let last = try await followAgents(started)
        let ended = try await follower.follow(started)
        if output.output == .json { print(try jsonText(ended)) }
        guard ended.isComplete else { throw failure(ended, last) }
        guard output.output == .text else { return }
        print(last?.state == .succeeded ? last.map(migrationReportText) ?? "" : ended.text)
    }

    /// Shows each attempt as its agent tells it; returns the last one's end.
    private func followAgents(_ started: OperationInfo) async throws -> MigrationInfo? {
        let line = ProgressLine(isQuiet: output.output == .json)
        var followed: Set<MigrationID> = []
        var last: MigrationInfo?
        var operation = started
        while !operation.isOver {
            let move = operation.plan.moves.first { $0.state == .running }
            if let move, let id = move.migration, !followed.contains(id) {
                guard let agent = session.agentIfReachable(move.from) else { return nil }
                followed.insert(id)
                // An agent that does not answer leaves it to the operation.
                guard let ended = try? await agent.follow(id, { await line.show($0) }) else {
                    await line.clear()
                    return nil
                }
                await line.clear()
                last = ended
            }
            try await Task.sleep(for: OperationFollower.poll)
            operation = try await follower.look(started.id)
        }
        await line.clear()
        return last
    }

    private func failure(_ operation: OperationInfo, _ last: MigrationInfo?) -> CommandFailure {
        if let last, last.state != .succeeded { return CommandFailure(last) }
        let move = operation.plan.moves.first
        let why =
            move?.reason ?? operation.plan.left.first?.why ?? operation.detail
            ?? "unknown reason"
        let title = move.map { "\($0.vm) was not moved" } ?? operation.title
        return CommandFailure(
            operation.state == .cancelled ? .cancelled : .notMigrated,
            code: operation.state == .cancelled ? "cancelled" : "not_migrated", "\(title): \(why)")
    }
}

extension CommandFailure {
    /// Of a migration that ended without moving its VM.
    init(_ ended: MigrationInfo) {
        let failure = ended.failure
        let code = failure?.code ?? "failed"
        let message = failure?.message ?? "unknown reason"
        // It may even run on the other host: nothing is said of where it is.
        if failure?.vmIsRunning == false {
            self.init(
                .vmNotRunning, code: code, "the migration of \(ended.vm) failed: \(message)")
        } else {
            self.init(
                ended.state == .cancelled ? .cancelled : .notMigrated, code: code,
                "\(ended.vm) was not moved: \(message)")
        }
    }
}

func migrationReportText(_ ended: MigrationInfo) -> String {
    ended.report.map { reportText($0, of: ended) }
        ?? "\(ended.vm) runs on \(ended.destination); the agent of \(ended.source) ended before it could report more"
}
