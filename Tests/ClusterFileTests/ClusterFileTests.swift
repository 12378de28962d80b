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
        let host = try #require(cluster.findHost(named: HostName("host-b")))
        #expect(host.api == SocketAddress(ip: "::1", port: 7102))
        #expect(cluster.stateFolder(of: host.name) == "/srv/state/hosts/host-b")
        #expect(cluster.keysFolder(for: .agent, named: host.name) == "/etc/ferry/keys/agent-host-b")
    }

    private static let controlled =
        good + """

                labels: [ssd, generation=7]
                rack: r12
                link: switch-3
                link-speed: 10Gbit
                cpu-overcommit: 4
            controllers:
              - name: controller-1
                api: 127.0.0.1:7100
              - name: host-a
                api: 127.0.0.1:7110
            store:
              kind: etcd
              endpoints: ["https://10.0.0.1:2379"]
              keys-folder: etcd
            control:
              heartbeat: 1s
              host-lease: 8s
              policy: best-fit
              balance: auto
            """

    @Test("Controllers, their store and what the scheduler should know of hosts are read")
    func controlled() throws {
        let cluster = try parse(Self.controlled)
        #expect(cluster.controllers.map(\.name.text) == ["controller-1", "host-a"])
        #expect(
            cluster.store == .etcd(endpoints: ["https://10.0.0.1:2379"], keysFolder: "/srv/etcd"))
        #expect(cluster.control.heartbeat == .seconds(1))
        #expect(cluster.control.hostLease == .seconds(8))
        #expect(cluster.control.controllerLease == .seconds(5))
        #expect(cluster.control.policy == "best-fit")
        #expect(cluster.control.balance == "auto")
        let traits = try #require(cluster.hosts.last).traits
        #expect(traits.labels == ["ssd", "generation=7"])
        #expect(traits.rack == "r12")
        #expect(traits.linkBytesPerSecond == 1.25e9)
        #expect(traits.cpuOvercommit == 4)
        #expect(cluster.hosts[0].traits == ClusterFile.Traits())
        let name = try HostName("controller-1")
        #expect(cluster.controllerFolder(of: name) == "/srv/state/controllers/controller-1")
    }

    @Test("With no word of them there are no controllers, and the store would be SQLite")
    func uncontrolled() throws {
        let cluster = try parse(Self.good)
        #expect(cluster.controllers.isEmpty)
        #expect(cluster.store == .sqlite)
        #expect(cluster.control == ClusterFile.Control())
    }

    @Test(
        "What is wrong about controllers is named, too",
        arguments: [
            ("kind: etcd", "kind: zookeeper", "store.kind"),
            ("kind: etcd", "kind: sqlite", "controllers"),
            ("[\"https://10.0.0.1:2379\"]", "[]", "store.endpoints"),
            ("https://10", "ftp://10", "store.endpoints[0]"),
            ("  keys-folder: etcd\n", "", "store.keys-folder"),
            (
                "name: host-a\n    api: 127.0.0.1:7110",
                "name: controller-1\n    api: 127.0.0.1:7110", "controllers.name"
            ),
            ("7110", "7101", "hosts.api or hosts.peer"),
            ("host-lease: 8s", "host-lease: 1s", "control.host-lease"),
            ("heartbeat: 1s", "heartbeat: 1ms", "control.heartbeat"),
            ("best-fit", "best", "control.policy"),
            ("balance: auto", "balance: on", "control.balance"),
            ("10Gbit", "10", "hosts[1].link-speed"),
            ("cpu-overcommit: 4", "cpu-overcommit: 0", "hosts[1].cpu-overcommit"),
            ("rack: r12", "rack: 'r 12'", "hosts[1].rack"),
            ("[ssd,", "[s sd,", "hosts[1].labels[0]"),
        ])
    func badControl(_ old: String, _ new: String, _ key: String) throws {
        let yaml = Self.controlled.replacing(old, with: new)
        #expect(yaml != Self.controlled)
        let error = try #require(throws: ClusterFileError.self) { try parse(yaml) }
        #expect("\(error)".contains("'\(key)'"), "\(error)")
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
