// The reader takes what Ganeti writes and names the place of every mistake; the score is Ganeti's.

import Foundation
import GanetiFormat
import Model
import Placement
import Testing

private let groupLine = "default|uuid-1|preferred||"
private let policyLine =
    "|4096,2,20480,1,1,1|1024,1,1024,1,1,1;65536,32,1048576,16,8,12|ext|8.0|64.0"

/// 64 GiB and 16 cores, 4 GiB of it the node's own.
private func nodeLine(_ name: String, free: Int, freeDisk: Int = 1000, role: String = "N") -> String
{
    "\(name)|65536|4096|\(free)|1000|\(freeDisk)|16|\(role)|uuid-1|8||N|0|1|1.0"
}

private func instanceLine(
    _ name: String, _ memory: Int, _ vcpus: Int, on node: String, template: String = "ext",
    tags: String = ""
) -> String {
    "\(name)|\(memory)|20480|\(vcpus)|running|Y|\(node)||\(template)|\(tags)|1|-"
}

private func text(
    groups: [String] = [groupLine], nodes: [String], instances: [String] = [],
    tags: [String] = [], policies: [String] = [policyLine]
) -> String {
    [groups, nodes, instances, tags, policies].map { $0.map { $0 + "\n" }.joined() }
        .joined(separator: "\n")
}

@Suite("Ganeti's text format")
struct GanetiFormatTests {
    private let twoNodes = text(
        nodes: [nodeLine("a", free: 45056, freeDisk: 500), nodeLine("b.example.org", free: 61440)],
        instances: [
            instanceLine("i1", 8192, 4, on: "a"), instanceLine("i2", 8192, 2, on: "a"),
        ])

    @Test func `All sections are read`() throws {
        let cluster = try GanetiCluster(text: twoNodes, file: "x")
        #expect(cluster.groups.map(\.name) == ["default"])
        #expect(cluster.nodes.map(\.name) == ["a", "b.example.org"])
        #expect(cluster.nodes.map(\.freeMemoryMiB) == [45056, 61440])
        #expect(cluster.instances.map(\.vcpus) == [4, 2])
        #expect(cluster.instances.allSatisfy { $0.usesSharedStorage && $0.primary == 0 })
        #expect(cluster.instancePolicy(ofGroup: 0).vcpuRatio == 8)
    }

    @Test func `Old files without the later columns, tags and policies are read`() throws {
        let old = """
            g|u|preferred|

            a|1000|100|700|0|0|4|M|u
            b|1000|100|900|0|0|4|Y|u
            c|?|?|?|?|?|?|N|u

            i|200|0|1|running|Y|a||rbd|


            """
        let cluster = try GanetiCluster(text: old, file: "x")
        #expect(cluster.nodes.map(\.isOffline) == [false, true, true])
        #expect(cluster.instancePolicy(ofGroup: 0).vcpuRatio == 4)
        let state = try cluster.clusterState()
        #expect(state.hosts.map(\.state) == [.active, .maintenance, .maintenance])
    }

    @Test func `The state has the free memory that the file says`() throws {
        let state = try GanetiCluster(text: twoNodes, file: "x").clusterState()
        #expect(state.freeResources(on: 0).memoryBytes == 45056 << 20)
        #expect(state.freeResources(on: 1).memoryBytes == 61440 << 20)
        #expect(state.resourceLimit(of: 0).milliCPUs == 8 * 16000)
        #expect(state.hostedVMCount(on: 0) == 2)
    }

    @Test func `The score is the sum of three standard deviations`() throws {
        let cluster = try GanetiCluster(text: twoNodes, file: "x")
        let score = cluster.balanceScore(of: try cluster.clusterState()).score
        // Free memory 0.6875 and 0.9375; vCPUs 7/16 and 1/16, the node's own with them; free disk 0.5 and 1.
        #expect(abs(score - (0.125 + 0.1875 + 0.25)) < 1e-12)
    }

    @Test func `Balance by that score moves what it should, and instances with local disks stay`()
        throws
    {
        let cluster = try GanetiCluster(text: twoNodes, file: "x")
        let state = try cluster.clusterState()
        let plan = state.planBalance(
            rules: .greedySearch(movesMax: 10), spread: cluster.balanceScore(of: state))
        #expect(plan.moves.moves.count == 1 && plan.after < plan.before)
        let local = try GanetiCluster(
            text: twoNodes.replacing("||ext|", with: "||plain|"), file: "x")
        let fixed = try local.clusterState()
        #expect(
            fixed.planBalance(
                rules: .greedySearch(movesMax: 10), spread: local.balanceScore(of: fixed)
            )
            .moves.moves.isEmpty)
    }

    @Test func `Instances with the same exclusion tag are kept apart`() throws {
        let nodes = ["a", "b", "c"].map { nodeLine($0, free: 53248) }
        let cluster = try GanetiCluster(
            text: text(
                nodes: nodes,
                instances: [
                    instanceLine("i1", 8192, 8, on: "a", tags: "service:dns"),
                    instanceLine("i2", 8192, 8, on: "b", tags: "service:dns,other"),
                ], tags: ["htools:iextags:service"]), file: "x")
        let state = try cluster.clusterState()
        #expect(
            state.refusalReason(of: 0, on: 1, for: .migration)
                == .antiAffinity(
                    group: "service:dns", domain: "host b", members: 1, max: 1))
        #expect(state.refusalReason(of: 0, on: 2, for: .migration) == nil)
    }

    @Test(arguments: [
        ("|65536|", "|65536x|", 3, "total memory"), ("|16|N|", "|0|N|", 3, "cores"),
        ("|N|uuid-1|8", "|Q|uuid-1|8", 3, "role"), ("|uuid-1|8|", "|uuid-9|8|", 3, "group uuid"),
        ("|1|1.0", "|1|-1", 3, "CPU speed"), ("b.example.org", "a", 4, "node name"),
        ("i1|8192|20480|4", "i1|8192|20480|-4", 6, "vCPUs"), ("i2|", "i1|", 7, "instance name"),
        ("|Y|a||ext", "|Y|z||ext", 6, "primary node"),
        ("|Y|a||ext", "|Y|a|a|ext", 6, "secondary node"), ("|Y|a|", "|?|a|", 6, "auto balance"),
        ("i1|8192", "i1|99999999999999999999", 6, "memory"), ("|8.0|", "|0|", 10, "vCPU ratio"),
        ("ext||1|-", "ext||x|-", 6, "spindle use"),
        ("default|uuid-1|preferred||", "default", 1, "groups"),
        ("ext||1|-\n", "ext||1|-|9\n", 6, "instances"), ("\ni1", "\n\n\n\ni1", 8, "sections"),
    ])
    func `A mistake is told with its line and field`(
        good: String, bad: String, line: Int, field: String
    ) throws {
        // Only the first place is spoilt.
        let broken = twoNodes.replacing(good, with: bad, maxReplacements: 1)
        try #require(broken != twoNodes)
        let error = #expect(throws: GanetiFormatError.self) {
            try GanetiCluster(text: broken, file: "c.data")
        }
        #expect(error?.line == line && error?.field == field, "\(String(describing: error))")
        #expect(error?.description.hasPrefix("c.data:\(line): \(field): expected ") == true)
    }

    @Test func `Every truncation is read or refused, and never traps`() throws {
        for length in 0..<twoNodes.utf8.count {
            let cut = String(decoding: twoNodes.utf8.prefix(length), as: UTF8.self)
            if let cluster = try? GanetiCluster(text: cut, file: "x") {
                _ = try cluster.balanceScore(of: cluster.clusterState())
            }
        }
        #expect(throws: GanetiFormatError.self) { try GanetiCluster(text: "", file: "x") }
    }
}

/// Where `c20.data` and `c100.data` are, when they are here.
private let dataFolder = ProcessInfo.processInfo.environment["FERRY_GANETI_DATA"]

/// What hbal 3.0.2 printed for the same files with `--ignore-dynu`, rounded as it prints.
@Suite(
    "Against hbal",
    .enabled(if: dataFolder != nil, "FERRY_GANETI_DATA does not name the folder with the data"))
struct HbalTests {
    private func cluster(_ name: String) throws -> GanetiCluster {
        let folder = try #require(dataFolder)
        let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
        return try GanetiCluster(text: text, file: name)
    }

    private func rounded(_ score: Double) -> Double { (score * 100_000).rounded() / 100_000 }

    @Test(arguments: [
        ("c20.data", 1000, 0.72422, 0.08807), ("c100.data", 10, 0.65383, 0.53402),
    ])
    func `It starts at hbal's score and ends no higher`(
        name: String, movesMax: Int, start: Double, end: Double
    ) throws {
        let cluster = try cluster(name)
        var state = try cluster.clusterState()
        let clock = ContinuousClock()
        var plan: BalancePlan?
        let time = clock.measure {
            plan = state.planBalance(
                rules: .greedySearch(movesMax: movesMax), spread: cluster.balanceScore(of: state))
        }
        let found = try #require(plan)
        print(
            "\(name): \(found.before) -> \(found.after), \(found.moves.moves.count) moves, \(time)")
        #expect(rounded(found.before) == start)
        #expect(rounded(found.after) <= end)
        found.moves.applyMoves(to: &state) { #expect($0.ruleViolation() == nil) }
        #expect(abs(cluster.balanceScore(of: state).score - found.after) < 1e-9)
    }
}
