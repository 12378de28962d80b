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

    init(_ session: Session, _ controller: ControllerClient, _ output: OutputOptions) {
        self.session = session
        self.output = output
        follower = OperationFollower(controller, output)
    }

    func printStarted(_ operation: OperationInfo) throws { try follower.printStarted(operation) }

    /// Follows it to its end; the exit code says what became of the VM.
    func finish(_ started: OperationInfo) async throws {
        let ended = try await follow(started)
        if output.output == .json { print(try jsonText(ended)) }
        let told = await agentsWord(ended)
        guard ended.isComplete else { throw failure(ended, told) }
        guard output.output == .text else { return }
        print(told?.state == .succeeded ? told.map(migrationReportText) ?? "" : ended.text)
    }

    private func follow(_ started: OperationInfo) async throws -> OperationInfo {
        let line = ProgressLine(isQuiet: output.output == .json)
        var watch = OperationWatch()
        var operation = started
        while !operation.isOver {
            if !(await followAgent(operation, line)) {
                let text = watch.line(operation, at: (Instant.now - began).seconds)
                await line.show(text, part: operation.state.rawValue)
            }
            try await Task.sleep(for: OperationFollower.poll)
            operation = try await follower.look(started.id)
        }
        await line.clear()
        return operation
    }

    /// Shows an attempt as its agent tells it, to the attempt's end; false when there is no such agent.
    private func followAgent(_ operation: OperationInfo, _ line: ProgressLine) async -> Bool {
        guard let move = operation.plan.moves.first(where: { $0.state == .running }),
            let id = move.migration, let agent = session.agentIfReachable(move.from)
        else { return false }
        // An agent that does not answer, or has not heard of it yet, leaves it to the operation.
        return (try? await agent.followMigration(withID: id) { await line.show($0) }) != nil
    }

    /// How the last attempt ended, by its agent; nil when that cannot be asked.
    private func agentsWord(_ operation: OperationInfo) async -> MigrationInfo? {
        guard let move = operation.plan.moves.first, let id = move.migration else { return nil }
        return try? await session.agentIfReachable(move.from)?.migration(withID: id)
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
