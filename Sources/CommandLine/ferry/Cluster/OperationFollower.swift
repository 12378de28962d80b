// Follows an operation of the cluster to its end, with a line that says how far it is.

import API
import ArgumentParser
import Clients
import ClusterText
import Host
import Model

struct OperationFollower {
    static let poll = Duration.milliseconds(250)
    /// A controller that changes, or is started again, is waited for.
    private static let silenceMax = Duration.seconds(60)

    let controller: ControllerClient
    let output: OutputOptions

    /// Follows it and prints how it ended; the exit code says whether something is left.
    func awaitCompletion(of started: OperationInfo) async throws {
        let ended = try await followProgress(of: started)
        try output.printResult(ended, text: ended.text)
        try ended.throwIfIncomplete()
    }

    func followProgress(of started: OperationInfo) async throws -> OperationInfo {
        let line = ProgressLine(isQuiet: output.output == .json)
        var watch = OperationWatch()
        var operation = started
        while !operation.isOver {
            let text = watch.progressLine(for: operation, at: (Instant.now - began).seconds)
            await line.displayText(text, part: "\(operation.state.rawValue) \(operation.movesDone)")
            try await Task.sleep(for: Self.poll)
            operation = try await fetchOperation(withID: started.id)
        }
        await line.clearLine()
        return operation
    }

    private let began = Instant.now

    init(using controller: ControllerClient, output: OutputOptions) {
        self.controller = controller
        self.output = output
    }

    func fetchOperation(withID id: OperationID) async throws -> OperationInfo {
        let end = Instant.now + Self.silenceMax
        while true {
            do throws(ClientError) { return try await controller.operation(withID: id) } catch {
                guard error.isPassing, Instant.now < end else { throw error }
            }
            try await Task.sleep(for: Self.poll)
        }
    }

    /// Prints what was started, for those who do not wait.
    func announceStart(of operation: OperationInfo) throws {
        try output.printResult(
            operation,
            text:
                "\(operation.title) begins, \(quantityText(count: operation.plan.moves.count, noun: "move")): `ferry operation follow \(operation.id)`"
        )
    }
}

extension OperationInfo {
    func throwIfIncomplete() throws(ExitCode) {
        if state == .cancelled { throw ExitCode(CommandFailure.Kind.cancelled.rawValue) }
        if !isComplete { throw ExitCode(CommandFailure.Kind.somethingIsLeft.rawValue) }
    }
}

extension ClientError {
    /// The controller may answer again a little later.
    var isPassing: Bool {
        switch self {
        case .unreachable: true
        case .problem(let problem, _): problem.status == 503
        case .notTrusted, .unexpected, .keys: false
        }
    }
}
