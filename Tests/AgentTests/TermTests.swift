// Commands of controllers that were deposed are refused, also by an agent that starts again.

import API
import Agent
import Clients
import ClusterFile
import Foundation
import Host
import Model
import Testing

@Suite("A controller's term")
struct TermTests {
    private func withPath(_ body: (String) throws -> Void) throws {
        let folder = "\(NSTemporaryDirectory())ferry-term-\(UInt64.random(in: .min ... .max))"
        try Folder.createFolder(at: folder, mode: 0o700)
        defer { try? Folder.removeRecursively(at: folder) }
        try body("\(folder)/term")
    }

    @Test("The highest counts, and is remembered")
    func highest() throws {
        try withPath { path in
            let fence = try TermFence(path: path)
            #expect(fence.term == 0)
            try fence.acceptTerm(5)
            try fence.acceptTerm(5)
            #expect(throws: TermError.stale(4, highest: 5)) { try fence.acceptTerm(4) }
            try fence.acceptTerm(UInt64.max)
            let next = try TermFence(path: path)
            #expect(next.term == UInt64.max)
            #expect(throws: TermError.stale(6, highest: .max)) { try next.acceptTerm(6) }
        }
    }

    @Test("One that cannot be written down is told, and lower ones are refused all the same")
    func unwritable() throws {
        try withPath { path in
            let fence = try TermFence(path: path)
            try Folder.removeRecursively(at: Folder.parentFolder(ofPath: path))
            #expect(throws: TermError.self) { try fence.acceptTerm(7) }
            #expect(throws: TermError.stale(6, highest: 7)) { try fence.acceptTerm(6) }
            try Folder.createFolder(at: Folder.parentFolder(ofPath: path), mode: 0o700)
            try fence.acceptTerm(7)
            #expect(try TermFence(path: path).term == 7)
        }
    }

    @Test(
        "A file that holds no term keeps the agent from starting", arguments: ["", "x", "-1", " 5"])
    func damaged(_ text: String) throws {
        try withPath { path in
            try AtomicFile.writeBytes(Array(text.utf8), to: path)
            #expect(throws: TermFileError.self) { try TermFence(path: path) }
        }
    }

    @Test("A controller's requests need one, lower ones are refused, operators need none")
    func fencing() async throws {
        try await TestCluster.with { cluster in
            let keys = try cluster.controllerKeys()
            try await cluster.agent(keys: keys) { agent in
                await problem(.badRequest) { _ = try await agent.readHostInfo() }
                _ = try await agent.commanded(inTerm: 5).readHostInfo()
                await problem(.staleTerm) { _ = try await agent.commanded(inTerm: 4).listAllVMs() }
                _ = try await agent.commanded(inTerm: 6).listAllVMs()
                await problem(.staleTerm) {
                    _ = try await agent.commanded(inTerm: 5).readHostInfo()
                }
            }
            try cluster.kill()
            try await cluster.start(HostName("host-a"))
            try await cluster.agent(keys: keys) { agent in
                await problem(.staleTerm) {
                    _ = try await agent.commanded(inTerm: 5).readHostInfo()
                }
                _ = try await agent.commanded(inTerm: 6).readHostInfo()
            }
            _ = try await cluster.agent { try await $0.readHostInfo() }
        }
    }
}

@Suite("Agents at addresses that come and go")
struct AgentPoolTests {
    @Test("Each is reached where it is said to be, and only if it is that host")
    func identity() async throws {
        try await TestCluster.with(hosts: 2) { cluster in
            let pool = try AgentPool(keysFolder: cluster.controllerKeys())
            let addresses = cluster.file.hosts.map { host in
                HostAddress(
                    cluster: cluster.file.cluster, name: host.name, ip: host.api.ip,
                    port: Int(host.api.port))
            }
            for address in addresses {
                let name = try await pool.withClient(at: address, term: 3) {
                    try await $0.readHostInfo().name
                }
                #expect(name == address.name)
            }
            // One's name at the other's address.
            var wrong = addresses[0]
            wrong.port = addresses[1].port
            for _ in 0..<2 {
                let error = await #expect(throws: ClientError.self) {
                    _ = try await pool.withClient(at: wrong, term: 3) {
                        try await $0.readHostInfo()
                    }
                }
                guard case .notTrusted = error else {
                    Issue.record("\(String(describing: error))")
                    continue
                }
            }
            // The term comes along.
            await problem(.staleTerm) {
                _ = try await pool.withClient(at: addresses[0], term: 2) {
                    try await $0.readHostInfo()
                }
            }
            await pool.shutdown()
            await #expect(throws: ClientError.self) {
                _ = try await pool.withClient(at: addresses[0], term: 3) {
                    try await $0.readHostInfo()
                }
            }
        }
    }

    @Test("Many are talked to, one after the other, and few stay open")
    func many() async throws {
        try await TestCluster.with { cluster in
            let host = cluster.file.hosts[0]
            let pool = try AgentPool(keysFolder: cluster.controllerKeys())
            for number in 0..<(Clients.Limits.idleAgentsMax + 20) {
                // Nobody is there, or somebody else: what counts is that each attempt gets its client and ends.
                let address = HostAddress(
                    cluster: cluster.file.cluster, name: try HostName("host-x\(number)"),
                    ip: host.api.ip, port: 1)
                await #expect(throws: ClientError.self) {
                    _ = try await pool.withClient(at: address, term: 1) {
                        try await $0.readHostInfo()
                    }
                }
            }
            #expect(pool.count == Clients.Limits.idleAgentsMax)
            await pool.shutdown()
        }
    }
}
