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

    init(_ kind: Kind, code: String, message: String) {
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
                message: problem.detail.isEmpty ? problem.title : problem.detail)
        case .unreachable: self.init(.unreachable, code: "unreachable", message: "\(error)")
        case .notTrusted: self.init(.unreachable, code: "not_trusted", message: "\(error)")
        case .unexpected: self.init(.failed, code: "unexpected_answer", message: "\(error)")
        case .keys: self.init(.refused, code: "keys", message: "\(error)")
        }
    }
}

private struct FailureText: Encodable {
    var code: String
    var message: String
}

/// Runs a command's body; what it throws is told in the output format, and becomes the exit code.
func reportFailures(to output: OutputOptions, from body: () async throws -> Void) async throws {
    try await reportFailures(as: output.output, from: body)
}

/// The same, for commands with other formats than those two.
func reportFailures(as format: OutputFormat, from body: () async throws -> Void) async throws {
    do { try await body() } catch let exit as ExitCode {
        throw exit
    } catch {
        let failure =
            switch error {
            case let error as CommandFailure: error
            case let error as ClientError: CommandFailure(error)
            default: CommandFailure(.failed, code: "failed", message: "\(error)")
            }
        switch format {
        case .text: printErrorLine("ferry: \(failure.message) [\(failure.code)]")
        case .json:
            printErrorLine(
                try encodedJSON(of: [
                    "error": FailureText(code: failure.code, message: failure.message)
                ]))
        }
        throw ExitCode(failure.kind.rawValue)
    }
}

func printErrorLine(_ text: String) {
    // Nobody to tell when standard error cannot be written.
    try? StandardStreams.writeBytes(Array("\(text)\n".utf8), toDescriptor: 2)
}

func encodedJSON(of value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
