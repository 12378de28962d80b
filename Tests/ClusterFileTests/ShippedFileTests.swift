import ClusterFile
import Foundation
import Host
import Model
import Testing
import Yams

@Suite("The cluster files that come with Ferry")
struct ShippedFileTests {
    private static let folder =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/cluster-configs"

    private static let names =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()

    private func load(_ name: String) throws -> ClusterFile {
        try ClusterFile(loading: "\(Self.folder)/\(name)", relativeTo: "/srv")
    }

    @Test(
        "All are good, and each cluster is called as its file, production aside", arguments: names)
    func areGood(_ name: String) throws {
        let cluster = try load(name)
        #expect(!cluster.hosts.isEmpty)
        #expect(!cluster.controllers.isEmpty)
        #expect(name == "production.yaml" || name == "\(cluster.cluster).yaml")
    }

    @Test("Two of them can run on one machine: they share no address and no folder")
    func doNotMeet() throws {
        let clusters = try Self.names.map(load)
        let addresses = clusters.flatMap { cluster in
            cluster.controllers.map(\.api) + cluster.hosts.flatMap { [$0.api, $0.peer] }
        }
        #expect(Set(addresses).count == addresses.count)
        #expect(Set(clusters.map(\.stateFolder)).count == clusters.count)
    }

    @Test("The one for a first try has three hosts and a controller, and is this machine's alone")
    func local() throws {
        let cluster = try load("local-3.yaml")
        #expect(cluster.hosts.count == 3)
        #expect(cluster.controllers.map(\.name.text) == ["controller-1"])
        #expect(cluster.store == .sqlite)
        #expect(try cluster.isOnSharedMachine(host: HostName("host-a")))
        #expect(try !load("production.yaml").isOnSharedMachine(host: HostName("host-a")))
        #expect(cluster.hosts.allSatisfy { $0.api.ip == "127.0.0.1" && $0.peer.ip == "127.0.0.1" })
        #expect(cluster.controllers.allSatisfy { $0.api.ip == "127.0.0.1" })
    }

    @Test("The one with etcd has three controllers, which leave a leader's death time enough")
    func etcd() throws {
        let cluster = try load("local-etcd-3x3.yaml")
        #expect(cluster.controllers.count == 3)
        #expect(cluster.store == .etcd(endpoints: ["http://127.0.0.1:2379"], keysFolder: nil))
        #expect(cluster.control.hostLease >= cluster.control.controllerLease * 3)
    }

    @Test("The one in namespaces has each host at an address of its own")
    func namespaces() throws {
        let cluster = try load("netns-5.yaml")
        let addresses = cluster.hosts.map(\.api.ip) + cluster.controllers.map(\.api.ip)
        #expect(Set(addresses).count == 6)
        #expect(addresses.allSatisfy { $0.hasPrefix("10.77.0.") })
        #expect(
            cluster.hosts.map(\.traits.linkBytesPerSecond) == [
                1.25e8, 1.25e8, 1.25e8, 1.25e8, 2.5e7,
            ])
    }

    @Test("The example for production uses every key there is, at each place")
    func production() throws {
        let text = try String(contentsOfFile: "\(Self.folder)/production.yaml", encoding: .utf8)
        var used: [String: Set<String>] = [:]
        Self.collect(try #require(try Yams.compose(yaml: text)), at: "", into: &used)
        for (place, keys) in used {
            #expect(try Self.known(at: place, in: text) == keys.sorted(), "at '\(place)'")
        }
        #expect(
            used.keys.sorted() == ["", "control", "controllers", "hosts", "migration", "store"])
    }

    /// The keys of every mapping, by where it stands.
    private static func collect(
        _ node: Node, at place: String, into used: inout [String: Set<String>]
    ) {
        if let items = node.sequence { for item in items { collect(item, at: place, into: &used) } }
        guard let mapping = node.mapping else { return }
        for (key, value) in mapping {
            guard let key = key.string else { continue }
            used[place, default: []].insert(key)
            collect(value, at: key, into: &used)
        }
    }

    /// What the reader itself says when it meets a key that it does not know.
    private static func known(at place: String, in text: String) throws -> [String] {
        let unknown =
            switch place {
            case "": "strange: 1\n" + text
            case "controllers", "hosts":
                text.replacing("\n\(place):\n  - ", with: "\n\(place):\n  - strange: 1\n    ")
            default: text.replacing("\n\(place):\n", with: "\n\(place):\n  strange: 1\n")
            }
        let error = #expect(throws: ClusterFileError.self) {
            try ClusterFile(yaml: unknown, path: "production.yaml", relativeTo: "/")
        }
        guard case .unknownKey(_, _, let known) = error else { return [] }
        return known.sorted()
    }
}
