import ClusterFile
import Foundation
import Host
import Model
import Testing

@Suite("The cluster file")
struct ClusterFileTests {
    private static let good = """
        cluster: local-3
        state-folder: state
        keys-folder: /etc/ferry/keys
        memory-reserve: 1GiB
        migration:
          dead-peer-after: 20s
        hosts:
          - name: host-a
            api: 127.0.0.1:7101
            peer: 127.0.0.1:7201
          - name: host-b
            api: "[::1]:7102"
            peer: "[::1]:7202"
        """

    private func parse(_ yaml: String) throws(ClusterFileError) -> ClusterFile {
        try ClusterFile(yaml: yaml, path: "cluster.yaml", relativeTo: "/srv")
    }

    @Test("A good file is read, and relative folders are made absolute")
    func good() throws {
        let cluster = try parse(Self.good)
        #expect(try cluster.cluster == ClusterName("local-3"))
        #expect(cluster.stateFolder == "/srv/state")
        #expect(cluster.keysFolder == "/etc/ferry/keys")
        #expect(cluster.memoryReserve == .gibibytes(1))
        #expect(cluster.patience.deadPeer == .seconds(20))
        #expect(cluster.patience.deadPeerInHandover == .seconds(3))
        #expect(cluster.hosts.map(\.name.text) == ["host-a", "host-b"])
        let host = try #require(cluster.host(HostName("host-b")))
        #expect(host.api == SocketAddress(ip: "::1", port: 7102))
        #expect(cluster.stateFolder(of: host.name) == "/srv/state/hosts/host-b")
        #expect(cluster.keysFolder(of: .agent, host.name) == "/etc/ferry/keys/agent-host-b")
    }

    @Test("The file that comes with Ferry is good")
    func shipped() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let cluster = try ClusterFile(
            loading: root.path + "/cluster-configs/local-3.yaml", relativeTo: "/srv")
        #expect(cluster.hosts.count == 3)
        #expect(cluster.hosts.allSatisfy { $0.api.ip == "127.0.0.1" })
    }

    @Test(
        "What is wrong is named, with the file and the key",
        arguments: [
            ("cluster: local-3", "cluster: Local_3", "cluster"),
            ("cluster: local-3", "clutser: local-3", "clutser"),
            ("state-folder: state\n", "", "state-folder"),
            ("memory-reserve: 1GiB", "memory-reserve: lots", "memory-reserve"),
            ("memory-reserve: 1GiB", "memory-reserve: [1]", "memory-reserve"),
            ("dead-peer-after: 20s", "dead-peer-after: soon", "migration.dead-peer-after"),
            ("dead-peer-after: 20s", "dead-peer-after: 10ms", "migration.dead-peer-after"),
            ("dead-peer-after: 20s", "dead-peer: 20s", "migration.dead-peer"),
            ("migration:\n  dead-peer-after: 20s", "migration: 20s", "migration"),
            ("api: 127.0.0.1:7101", "api: localhost:7101", "hosts[0].api"),
            ("api: 127.0.0.1:7101", "api: 127.0.0.1:99999", "hosts[0].api"),
            ("    peer: 127.0.0.1:7201\n", "", "hosts[0].peer"),
            ("name: host-b", "name: host-a", "host-a"),
            ("peer: 127.0.0.1:7201", "peer: 127.0.0.1:7101", "127.0.0.1:7101"),
            ("peer: 127.0.0.1:7201", "peer: 127.0.0.1:7201\n    port: 3", "hosts[0].port"),
        ])
    func refusals(_ old: String, _ new: String, _ named: String) throws {
        let yaml = Self.good.replacing(old, with: new)
        try #require(yaml != Self.good)
        let error = #expect(throws: ClusterFileError.self) { try parse(yaml) }
        let text = try #require(error).description
        #expect(text.contains("cluster.yaml"))
        #expect(text.contains(named))
    }

    @Test("What is no mapping at all is refused", arguments: ["", "- a", "3", "a: [", "hosts: {}"])
    func noMapping(_ yaml: String) {
        #expect(throws: ClusterFileError.self) { try parse(yaml) }
    }

    @Test("A file that is not there is named")
    func missing() {
        let error = #expect(throws: ClusterFileError.self) {
            try ClusterFile(loading: "/nowhere/cluster.yaml", relativeTo: "/")
        }
        #expect(error?.description.contains("/nowhere/cluster.yaml") == true)
    }
}
