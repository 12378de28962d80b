// Real ferry-vmm processes for tests.

import Foundation
import Glibc
import Host
import Model
import Testing
import VMControl

/// A ferry-vmm in a folder of its own; ended and cleaned up with this object.
///
/// By posix_spawn and waitpid: Foundation's Process needs a run loop, and its wait was seen to hang when
/// several threads have children.
final class VMMUnderTest {
    let directory: URL
    let processID: Int32
    private var exitCode: Int32?

    init(_ arguments: [String]) throws {
        directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("ferry-test-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = URL(fileURLWithPath: own).deletingLastPathComponent()
            .appendingPathComponent("ferry-vmm").path
        processID = try Self.spawn(
            [program, "--directory", directory.path] + arguments,
            standardError: directory.appendingPathComponent("vmm.log").path)
    }

    deinit {
        if exitCode == nil {
            _ = Glibc.kill(processID, SIGTERM)
            _ = wait()
        }
        // A test's folder that stays behind does no harm.
        try? FileManager.default.removeItem(at: directory)
    }

    private static func spawn(
        _ arguments: [String], standardError path: String
    ) throws -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        _ = unsafe posix_spawn_file_actions_init(&actions)
        defer { _ = unsafe posix_spawn_file_actions_destroy(&actions) }
        _ = unsafe posix_spawn_file_actions_addopen(
            &actions, 2, path, O_WRONLY | O_CREAT, 0o600)
        var argv = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe argv.forEach { unsafe free($0) } }
        var processID: pid_t = 0
        let code = unsafe posix_spawn(&processID, arguments[0], &actions, nil, &argv, environ)
        guard code == 0 else { throw SystemError(call: "posix_spawn", code: code) }
        return processID
    }

    func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

    /// Connects as soon as the vmm listens.
    func connect() throws -> VMMClient {
        _ = try retry { try UnixSocket.openConnection(to: path("control.sock")) }
        return try VMMClient(socketPath: path("control.sock"))
    }

    /// A bare connection, for what a client would never send.
    func connectRaw() throws -> Descriptor {
        try retry { try UnixSocket.openConnection(to: path("control.sock")) }
    }

    func console() throws -> ConsoleClient {
        ConsoleClient(try retry { try UnixSocket.openConnection(to: path("console.sock")) })
    }

    func waitForExit() throws -> (code: Int32, exit: VMExit) {
        let code = wait()
        let json = try Data(contentsOf: directory.appendingPathComponent("exit.json"))
        return (code, try JSONDecoder().decode(VMExit.self, from: json))
    }

    /// The exit code, or 128 and the signal's number. A process that does not end is killed after a minute,
    /// and fails the test.
    func wait() -> Int32 {
        if let exitCode { return exitCode }
        var status: Int32 = 0
        let end = Instant.now + .seconds(60)
        while unsafe waitpid(processID, &status, WNOHANG) == 0 {
            if Instant.now > end {
                Issue.record("the vmm did not end: \(errorText.suffix(300))")
                _ = Glibc.kill(processID, SIGKILL)
                _ = unsafe waitpid(processID, &status, 0)
                break
            }
            _ = usleep(2000)
        }
        let code = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
        exitCode = code
        return code
    }

    /// All of standard error so far.
    var errorText: String {
        (try? String(contentsOfFile: path("vmm.log"), encoding: .utf8)) ?? ""
    }

    func terminate() { _ = Glibc.kill(processID, SIGTERM) }

    /// There is no event for "a socket appeared": look every two milliseconds.
    private func retry<Value>(_ body: () throws -> Value) throws -> Value {
        let end = Instant.now + .seconds(20)
        while true {
            do { return try body() } catch {
                if Instant.now > end || exitCode != nil { throw error }
                _ = usleep(2000)
            }
        }
    }
}

/// A client of console.sock.
final class ConsoleClient {
    private let socket: Descriptor
    private(set) var text = ""

    init(_ socket: Descriptor) { self.socket = socket }

    func type(_ text: String) throws { try UnixSocket.sendBytes(Array(text.utf8), on: socket) }

    /// Reads until the text has an answer for `body`.
    @discardableResult
    func wait<Value>(
        within limit: Duration = .seconds(20), _ body: (String) -> Value?
    ) throws -> Value {
        let end = Instant.now + limit
        while true {
            if let value = body(text) { return value }
            guard Instant.now < end, try socket.waitReadable(within: end - Instant.now) else {
                Issue.record("console: \(text.suffix(300))")
                throw CancellationError()
            }
            let part = try UnixSocket.receiveBytes(upTo: 65536, on: socket).bytes
            guard !part.isEmpty else {
                Issue.record("the console closed: \(text.suffix(300))")
                throw CancellationError()
            }
            text += String(decoding: part.filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
        }
    }

    /// Reads until the vmm closes the console, and returns all text.
    func readToEnd() throws -> String {
        let end = Instant.now + .seconds(60)
        while true {
            guard Instant.now < end, try socket.waitReadable(within: end - Instant.now) else {
                Issue.record("the console stays open: \(text.suffix(300))")
                throw CancellationError()
            }
            let part = try UnixSocket.receiveBytes(upTo: 65536, on: socket).bytes
            if part.isEmpty { return text }
            text += String(decoding: part.filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
        }
    }

    func begin(with text: String) { self.text = text + self.text }
}

/// What a vmm said to a request that it should refuse; nil when it did not refuse.
func refusal(_ body: () throws(VMMError) -> Void) -> VMMRefusal? {
    do {
        try body()
        return nil
    } catch {
        guard case .refused(let refusal) = error else { return nil }
        return refusal
    }
}
