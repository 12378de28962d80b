// Where other hosts take migrations: from the cluster file, and as controllers said.

import Agent
import ClusterFile
import Foundation
import Host
import Logging
import Model
import Testing

@Suite("Addresses of other hosts")
struct PeerDirectoryTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func cluster(in folder: String) throws -> ClusterFile {
        let yaml = """
            cluster: test
            state-folder: state
            keys-folder: keys
            hosts:
              - name: host-a
                api: 127.0.0.1:7101
                peer: 127.0.0.1:7201
            """
        try AtomicFile.writeBytes(Array(yaml.utf8), to: "\(folder)/cluster.yaml")
        return try ClusterFile(loading: "\(folder)/cluster.yaml", relativeTo: folder)
    }

    private func withBook(_ body: (ClusterFile, String) throws -> Void) throws {
        let folder = "\(NSTemporaryDirectory())ferry-peers-\(UInt64.random(in: .min ... .max))"
        try Folder.createFolder(at: folder, mode: 0o700)
        defer { try? Folder.removeRecursively(at: folder) }
        try body(cluster(in: folder), "\(folder)/peers.json")
    }

    @Test("What was said is remembered, the latest first, and what the cluster file says beside it")
    func remembered() throws {
        try withBook { cluster, path in
            let (a, z) = (try HostName("host-a"), try HostName("host-z"))
            let known = SocketAddress(ip: "127.0.0.1", port: 7201)
            let said = SocketAddress(ip: "10.0.0.9", port: 7200)
            let book = PeerDirectory(cluster: cluster, path: path, logger: logger)
            #expect(book.addresses(of: a) == [known])
            #expect(book.addresses(of: z).isEmpty)
            try book.recordPeer(named: z, at: known)
            try book.recordPeer(named: z, at: said)
            try book.recordPeer(named: a, at: said)
            let next = PeerDirectory(cluster: cluster, path: path, logger: logger)
            #expect(next.addresses(of: z) == [said])
            #expect(next.addresses(of: a) == [said, known])
            try next.recordPeer(named: a, at: known)
            #expect(next.addresses(of: a) == [known])
        }
    }

    @Test("A file that cannot be read costs what was said, not the cluster file")
    func damaged() throws {
        try withBook { cluster, path in
            try AtomicFile.writeBytes(Array("{".utf8), to: path)
            let book = PeerDirectory(cluster: cluster, path: path, logger: logger)
            #expect(book.addresses(of: try HostName("host-a")).count == 1)
            try book.recordPeer(named: HostName("host-z"), at: SocketAddress(ip: "::1", port: 1))
            let next = PeerDirectory(cluster: cluster, path: path, logger: logger)
            #expect(
                next.addresses(of: try HostName("host-z")) == [SocketAddress(ip: "::1", port: 1)])
        }
    }
}
