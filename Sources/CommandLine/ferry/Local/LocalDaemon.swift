// A daemon that runs on this machine on behalf of a cluster: found by the lock that it holds, started and stopped as a
// process.

import Foundation
import Host

/// What agents and controllers have in common when `ferry up` starts them.
struct LocalDaemon {
    static let startLimit = Duration.seconds(30)
    static let stopLimit = Duration.seconds(40)
    static let poll = Duration.milliseconds(50)

    /// For messages: "agent of host-a".
    let title: String
    let program: String
    let arguments: [String]
    /// Where it keeps its lock and its log.
    let folder: String
    let log: String
    /// For its failures, for programs.
    let failureCode: String
    /// Says which program to use instead of the one beside this.
    let variable: String

    /// The program beside this one, unless the environment names another.
    static func programPath(named name: String, overrideVariable variable: String) -> String {
        ProcessInfo.processInfo.environment[variable] ?? "\(ProgramFolder.path)/\(name)"
    }

    /// The process that holds the lock; nil when none does.
    var processID: Int32? {
        guard let file = try? Descriptor.openFile(at: "\(folder)/lock", flags: O_RDONLY) else {
            return nil
        }
        // A lock that can be had is nobody's; it goes again with the descriptor.
        guard (try? file.lockExclusively()) == nil else { return nil }
        guard let text = try? file.readAvailable(upTo: 32) else { return nil }
        return Int32(
            String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Starts it; it goes on when this program ends.
    func startProcess() throws -> ProcessHandle {
        try Folder.createFolder(at: folder, mode: 0o700)
        guard File.isPresent(at: program) else {
            throw CommandFailure(
                .failed, code: failureCode,
                message:
                    "\(program) is not there: it must lie beside ferry, or $\(variable) say where it is"
            )
        }
        return try ProcessHandle(
            try DetachedProcess.startProgram(at: program, arguments: arguments, logPath: log))
    }

    /// Returns when it is ready; throws its last words when it ended.
    func waitUntilReady(process: ProcessHandle, isReady: () async -> Bool) async throws {
        let end = Instant.now + Self.startLimit
        while Instant.now < end {
            if await isReady() { return }
            if try process.waitForExit(within: .zero) {
                let words = (try? File.readLastBytes(at: log, count: 2000)) ?? []
                let last = String(decoding: words, as: UTF8.self).split(separator: "\n").last
                throw CommandFailure(
                    .failed, code: failureCode,
                    message: "the \(title) did not start: \(last ?? "see \(log)")")
            }
            try await Task.sleep(for: Self.poll)
        }
        throw CommandFailure(
            .unreachable, code: failureCode, message: "the \(title) does not answer; see \(log)")
    }

    /// Ends it in good order. False when there was none.
    func stopProcess() async throws -> Bool {
        guard let processID else { return false }
        let process: ProcessHandle
        do { process = try ProcessHandle(processID) } catch  where error.code == ESRCH {
            return false
        }
        // The lock is still held, so the number is still the daemon's.
        guard self.processID == processID else { return false }
        try process.sendSignal(SIGTERM)
        let end = Instant.now + Self.stopLimit
        while Instant.now < end {
            if try process.waitForExit(within: .zero) { return true }
            try await Task.sleep(for: Self.poll)
        }
        try process.sendSignal(SIGKILL)
        return true
    }
}
