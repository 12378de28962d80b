// ferry balance --input as a user runs it: no cluster, a file, and every way in which the file can be wrong.

import Foundation
import Testbed
import Testing

private let good = """
    default|uuid-1|preferred||

    a|65536|4096|45056|1000|500|16|N|uuid-1|8||N|0|1|1.0
    b|65536|4096|61440|1000|1000|16|N|uuid-1|8||N|0|1|1.0

    i1|8192|20480|4|running|Y|a||ext||1|-
    i2|8192|20480|2|running|Y|a||ext||1|-


    |4096,2,20480,1,1,1|1024,1,1024,1,1,1;65536,32,1048576,16,8,12|ext|8.0|64.0

    """

private struct Plan: Decodable {
    struct Move: Decodable {
        var instance: String
        var from: String
        var to: String
        var score: Double
    }
    struct Left: Decodable {
        var instance: String
        var why: String
    }
    var initialScore: Double
    var finalScore: Double
    var moves: [Move]
    var left: [Left]
    var planSeconds: Double
}

@Suite("ferry balance --input")
struct BalanceFileTests {
    private func balance(_ text: String, _ arguments: String...) async throws
        -> FerryCommand.Result
    {
        let folder = FileManager.default.temporaryDirectory.path + "/ferry-balance-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try text.write(toFile: "\(folder)/c.data", atomically: true, encoding: .utf8)
        return try await FerryCommand.runFerry(
            arguments: ["balance", "--input", "c.data"] + arguments, folder: folder)
    }

    private func plan(_ result: FerryCommand.Result) throws -> Plan {
        #expect(result.exitCode == 0, "\(result.errors)")
        return try JSONDecoder().decode(Plan.self, from: Data(result.output.utf8))
    }

    @Test func `It prints the score before, each move with the score after it, and the last`()
        async throws
    {
        let result = try await balance(good)
        #expect(result.exitCode == 0, "\(result.errors)")
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(lines.first == "2 nodes, 2 instances; score by hbal")
        #expect(lines.contains("initial score 0.56250"))
        let move = try #require(lines.first { $0.hasPrefix("1 ") })
        #expect(move.split(separator: " ").dropFirst(2).prefix(2) == ["a", "b"])
        #expect(lines.contains { $0.hasPrefix("final score ") && $0.hasSuffix("after 1 move") })
        #expect(lines.last?.hasPrefix("planned in ") == true)
    }

    @Test func `The scores after the moves lead from the first score to the last`() async throws {
        let plan = try plan(try await balance(good, "--output", "json"))
        #expect(abs(plan.initialScore - 0.5625) < 1e-12)
        #expect(plan.moves.map(\.from) == ["a"] && plan.moves.map(\.to) == ["b"])
        #expect(plan.moves.last?.score == plan.finalScore)
        #expect(plan.finalScore < plan.initialScore)
        #expect(plan.planSeconds > 0)
    }

    @Test func `A drained node ends without instances, and what cannot go is left with a reason`()
        async throws
    {
        let drained = try plan(try await balance(good, "--drain", "a", "--output", "json"))
        #expect(Set(drained.moves.map(\.instance)) == ["i1", "i2"])
        #expect(drained.moves.allSatisfy { $0.from == "a" && $0.to == "b" })
        let fixed = good.replacing(
            "i2|8192|20480|2|running|Y|a||ext", with: "i2|8192|20480|2|running|Y|a||plain")
        let rest = try plan(try await balance(fixed, "--drain", "a", "--output", "json"))
        #expect(rest.moves.map(\.instance) == ["i1"])
        #expect(rest.left.map(\.instance) == ["i2"])
        #expect(rest.left.first?.why.contains("pinned") == true)
    }

    @Test func `Ferry's own figure has its own thresholds and says why it ends`() async throws {
        let result = try await balance(good, "--score", "ferry")
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.output.contains("score by ferry"))
        #expect(result.output.contains(" is at most 0.05\n"))
    }

    @Test(arguments: [
        ("|65536|", "|65536x|", "c.data:3: total memory: expected MiB"),
        ("|Y|a||ext", "|Y|z||ext", "c.data:6: primary node: expected the name of a node above"),
        ("default|uuid-1|preferred||", "default", "c.data:1: groups: expected 3 to 5 columns"),
    ])
    func `A malformed file is refused with file, line, field and what was expected`(
        _ part: String, _ spoilt: String, _ message: String
    ) async throws {
        let broken = good.replacing(part, with: spoilt, maxReplacements: 1)
        try #require(broken != good)
        let result = try await balance(broken)
        #expect(result.exitCode == 4)
        #expect(result.errors.contains(message), "\(result.errors)")
        #expect(result.output.isEmpty)
    }

    @Test func `A file or a node that is not there, and options that do not go together`()
        async throws
    {
        let missing = try await FerryCommand.runFerry(
            arguments: ["balance", "--input", "nowhere.data"], folder: NSTemporaryDirectory())
        #expect(missing.exitCode == 1)
        #expect(missing.errors.contains("nowhere.data"))
        #expect(try await balance(good, "--drain", "z").exitCode == 3)
        #expect(try await balance(good, "--drain", "a", "--moves", "3").exitCode == 64)
        let alone = try await FerryCommand.runFerry(
            arguments: ["balance", "--moves", "3"], folder: NSTemporaryDirectory())
        #expect(alone.exitCode == 64)
    }
}
