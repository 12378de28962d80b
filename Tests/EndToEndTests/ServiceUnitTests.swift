// The units of Scripts/systemd, as far as a machine without a running systemd can tell.

import Foundation
import Host
import Testbed
import Testing

@Suite("The services for systemd")
struct ServiceUnitTests {
    private static let folder =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/Scripts/systemd"
    private static let analyzer = "/usr/bin/systemd-analyze"
    private static let units = ["ferry-agent@.service", "ferry-controller@.service"]

    private struct Start {
        let program: String
        let words: [String]
    }

    private func text(_ unit: String) throws -> String {
        try String(contentsOfFile: "\(Self.folder)/\(unit)", encoding: .utf8)
    }

    private func start(_ unit: String) throws -> Start {
        let lines = try text(unit).split(separator: "\n").filter { $0.hasPrefix("ExecStart=") }
        let words = try #require(lines.first).dropFirst("ExecStart=".count).split(separator: " ")
        let path = try #require(words.first)
        let name = try #require(path.split(separator: "/").last)
        return Start(
            program: "\(ProgramFolder.path)/\(name)", words: words.dropFirst().map(String.init))
    }

    @Test("There is a unit for each daemon, and no other")
    func allThere() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder)
        #expect(files.filter { $0.hasSuffix(".service") }.sorted() == Self.units)
    }

    @Test("What is started has every option that it is given", arguments: units)
    func options(_ unit: String) async throws {
        let start = try start(unit)
        let help = try await FerryCommand.runProgram(
            at: start.program, arguments: ["--help"], folder: "/")
        #expect(help.exitCode == 0)
        let known = Set(help.output.split { !($0.isLetter || $0 == "-") }.map(String.init))
        let given = start.words.filter { $0.hasPrefix("--") }
        #expect(!given.isEmpty)
        for option in given { #expect(known.contains(option), "\(option)") }
    }

    @Test(
        "systemd understands every line",
        .enabled(if: File.isPresent(at: analyzer), "needs systemd"),
        arguments: units)
    func isUnderstood(_ unit: String) async throws {
        let scratch = FileManager.default.temporaryDirectory.path + "/ferry-units-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        // Programs are installed where they are not in a test.
        let path = "\(scratch)/\(unit)"
        try text(unit).replacing("/usr/bin/ferry-", with: "\(ProgramFolder.path)/ferry-")
            .write(toFile: path, atomically: true, encoding: .utf8)
        let verified = try await FerryCommand.runProgram(
            at: Self.analyzer, arguments: ["verify", "--man=no", path], folder: scratch)
        #expect(verified.exitCode == 0)
        #expect(verified.errors.isEmpty, "\(verified.errors)")
    }

    @Test("A stop ends the agent alone, and its VMs may confine themselves")
    func agent() throws {
        let lines = Set(try text("ferry-agent@.service").split(separator: "\n").map(String.init))
        #expect(lines.contains("KillMode=process"))
        #expect(lines.contains("OOMPolicy=continue"))
        #expect(lines.contains("DeviceAllow=/dev/kvm rw"))
        // Not in @system-service, and ferry-vmm does not start without it.
        #expect(lines.contains("SystemCallFilter=@system-service seccomp"))
    }
}
