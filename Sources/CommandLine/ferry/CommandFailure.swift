// How commands fail: a sentence on standard error, and an exit code that says which kind it was.

import API
import ArgumentParser
import Clients
import Foundation
import Host

/// Why a command did not do what it was asked.
struct CommandFailure: Error {
    enum Kind: Int32 {
        case failed = 1
        case notFound = 3
        case refused = 4
        case unreachable = 5
        case notMigrated = 6
        case cancelled = 7
        case vmNotRunning = 8
        case checkFoundProblems = 9
        case somethingIsLeft = 10
    }

    var kind: Kind
    /// Stable, for programs.
    var code: String
    var message: String

    init(_ kind: Kind, code: String, _ message: String) {
        self.kind = kind
        self.code = code
        self.message = message
    }
}

extension CommandFailure {
    init(_ error: ClientError) {
        switch error {
        case .problem(let problem, _):
            let kind: Kind =
                switch problem.status {
                case 404: .notFound
                case 400..<500, 503, 507: .refused
                default: .failed
                }
            self.init(
                kind, code: problem.code,
                problem.detail.isEmpty ? problem.title : problem.detail)
        case .unreachable: self.init(.unreachable, code: "unreachable", "\(error)")
        case .notTrusted: self.init(.unreachable, code: "not_trusted", "\(error)")
        case .unexpected: self.init(.failed, code: "unexpected_answer", "\(error)")
        case .keys: self.init(.refused, code: "keys", "\(error)")
        }
    }
}

private struct FailureText: Encodable {
    var code: String
    var message: String
}

/// Runs a command's body; what it throws is told in the output format, and becomes the exit code.
func reporting(_ output: OutputOptions, _ body: () async throws -> Void) async throws {
    try await reporting(output.output, body)
}

/// The same, for commands with other formats than those two.
func reporting(_ format: OutputFormat, _ body: () async throws -> Void) async throws {
    do { try await body() } catch let exit as ExitCode {
        throw exit
    } catch {
        let failure =
            switch error {
            case let error as CommandFailure: error
            case let error as ClientError: CommandFailure(error)
            default: CommandFailure(.failed, code: "failed", "\(error)")
            }
        switch format {
        case .text: printError("ferry: \(failure.message) [\(failure.code)]")
        case .json:
            printError(
                try jsonText(["error": FailureText(code: failure.code, message: failure.message)]))
        }
        throw ExitCode(failure.kind.rawValue)
    }
}

func printError(_ text: String) {
    // Nobody to tell when standard error cannot be written.
    try? StandardStreams.write(Array("\(text)\n".utf8), to: 2)
}

func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
