// Runs the `ferry` program as a user would, and keeps what it said.

import Foundation
import Host

package enum FerryCommand {
    package struct Result: Sendable {
        package let exitCode: Int32
        package let output: String
        package let errors: String
    }

    /// - Parameters:
    ///   - folder: the current folder of the command.
    ///   - environment: added to this program's own.
    package static func runFerry(
        arguments: [String], folder: String, environment: [String: String] = [:]
    ) async throws -> Result {
        try await runProgram(
            at: ProgramFolder.path + "/ferry", arguments: arguments, folder: folder,
            environment: environment)
    }

    /// Runs `ferry` with this program's own output and terminal; returns its exit code.
    package static func runInteractively(arguments: [String], folder: String) async throws -> Int32
    {
        let process = makeProcess(
            program: ProgramFolder.path + "/ferry", arguments: arguments, folder: folder)
        return try await awaitExitCode(of: process)
    }

    package static func runProgram(
        at program: String, arguments: [String], folder: String,
        environment: [String: String] = [:]
    ) async throws -> Result {
        // Files, not pipes: a pipe that nobody reads while the program runs would stop it.
        let base = FileManager.default.temporaryDirectory.path + "/ferry-output-\(UUID())"
        let paths = [base + ".out", base + ".err"]
        defer { paths.forEach { try? FileManager.default.removeItem(atPath: $0) } }
        let handles = try paths.map { path in
            guard FileManager.default.createFile(atPath: path, contents: nil),
                let handle = FileHandle(forWritingAtPath: path)
            else { throw TestbedError("cannot write \(path)") }
            return handle
        }
        // The process object outlives its process, and its handles would stay open with it.
        defer { handles.forEach { try? $0.close() } }
        let process = makeProcess(program: program, arguments: arguments, folder: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handles[0]
        process.standardError = handles[1]
        let exitCode = try await awaitExitCode(of: process)
        let texts = try paths.map { try String(contentsOfFile: $0, encoding: .utf8) }
        return Result(exitCode: exitCode, output: texts[0], errors: texts[1])
    }

    private static func makeProcess(
        program: String, arguments: [String], folder: String
    ) -> Process {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: folder)
        return process
    }

    private static func awaitExitCode(of process: Process) async throws -> Int32 {
        try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
    }
}
