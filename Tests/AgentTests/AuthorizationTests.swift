import API
import Clients
import ClusterFile
import Foundation
import Host
import Keys
import Model
import Testing

@Suite("Who may use an agent's API", .serialized)
struct AuthorizationTests {
    @Test(
        "Operators and the controller of the cluster may", arguments: [Role.operator, .controller])
    func roles(_ role: Role) async throws {
        try await TestCluster.with { cluster in
            let keys = KeyFolder("\(cluster.folder)/keys/\(role.rawValue)-somebody")
            try cluster.authority.issueCertificate(as: role, name: HostName("somebody"), to: keys)
            _ = try await cluster.agent(keys: keys.path) { agent in
                let client = role == .controller ? agent.commanded(inTerm: 1) : agent
                return try await client.readHostInfo()
            }
        }
    }

    @Test("An agent's certificate may not")
    func agents() async throws {
        try await TestCluster.with { cluster in
            let keys = KeyFolder("\(cluster.folder)/keys/agent-somebody")
            try cluster.authority.issueCertificate(as: .agent, name: HostName("somebody"), to: keys)
            await problem(.forbidden) {
                _ = try await cluster.agent(keys: keys.path) { try await $0.readHostInfo() }
            }
        }
    }

    @Test("A certificate of another authority may not, nor may one that has expired")
    func untrusted() async throws {
        try await TestCluster.with { cluster in
            let name = try HostName("admin")
            let other = KeyFolder("\(cluster.folder)/other")
            try ClusterAuthority(cluster: cluster.file.cluster)
                .issueCertificate(as: .operator, name: name, to: other)
            try cluster.trustOwnAuthority(other)
            await expectNoAnswer(cluster, keys: other.path)

            let expired = KeyFolder("\(cluster.folder)/expired")
            try cluster.authority.issueCertificate(
                as: .operator, name: name, days: 1, to: expired,
                now: Date.now.addingTimeInterval(-3 * 86400))
            await expectNoAnswer(cluster, keys: expired.path)
        }
    }

    @Test("A client without a certificate may not")
    func anonymous() async throws {
        try await TestCluster.with { cluster in
            let host = cluster.file.hosts[0]
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = [
                "s_client", "-connect", "\(host.api)", "-tls1_3", "-CAfile",
                "\(cluster.operatorKeys)/ca.pem", "-ign_eof",
            ]
            let (input, output) = (Pipe(), Pipe())
            process.standardInput = input
            process.standardOutput = output
            process.standardError = output
            try process.run()
            input.fileHandleForWriting.write(
                Data("GET /v1/host HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8))
            let text = String(
                decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(!text.contains("HTTP/1.1 200"))
            #expect(text.contains("certificate required"))
        }
    }

    @Test("TLS 1.2 and plain HTTP are not spoken")
    func oldTLS() async throws {
        try await TestCluster.with { cluster in
            for arguments in [["--tls-max", "1.2", "https"], ["http"]] {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
                process.arguments =
                    ["--silent", "--insecure", "--max-time", "10"] + arguments.dropLast() + [
                        "--cert", "\(cluster.operatorKeys)/cert.pem", "--key",
                        "\(cluster.operatorKeys)/key.pem",
                        "\(arguments.last ?? "")://\(cluster.file.hosts[0].api)/v1/host",
                    ]
                try process.run()
                process.waitUntilExit()
                #expect(process.terminationStatus != 0)
            }
        }
    }

    @Test(
        "A certificate of this authority that names another cluster, nobody, or two holders may not"
    )
    func wrongIdentity() async throws {
        try await TestCluster.with { cluster in
            for (index, uris) in [
                ["ferry://other/operator/admin"], [], ["https://example.org/"],
                ["ferry://test/operator/admin", "ferry://test/agent/host-a"],
                ["ferry://test/king/admin"],
            ].enumerated() {
                let keys = KeyFolder("\(cluster.folder)/odd-\(index)")
                try cluster.issueOddCertificate(uris: uris, to: keys)
                await problem(.forbidden) {
                    _ = try await cluster.agent(keys: keys.path) { try await $0.readHostInfo() }
                }
            }
        }
    }

    @Test("A client refuses an agent that is not the one it means to reach")
    func wrongServer() async throws {
        try await TestCluster.with(hosts: 2) { cluster in
            let (a, b) = (cluster.file.hosts[0], cluster.file.hosts[1])
            // The name of one, the address of the other.
            let address = HostAddress(
                cluster: cluster.file.cluster, name: a.name, ip: b.api.ip, port: Int(b.api.port))
            let client = try ClusterClient(hosts: [address], keysFolder: cluster.operatorKeys)
            let error = await #expect(throws: ClientError.self) {
                _ = try await client.agents[0].readHostInfo()
            }
            await client.shutdown()
            guard case .notTrusted = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    /// The connection fails: as not trusted, or as broken when the alert was not read in time.
    private func expectNoAnswer(_ cluster: TestCluster, keys: String) async {
        do {
            _ = try await cluster.agent(keys: keys) { try await $0.readHostInfo() }
            Issue.record("it was answered")
        } catch ClientError.notTrusted {
        } catch ClientError.unreachable {
        } catch {
            Issue.record("\(error)")
        }
    }
}

extension TestCluster {
    /// Makes a folder of keys trust this cluster's authority, so that only the server refuses.
    func trustOwnAuthority(_ folder: KeyFolder) throws {
        try AtomicFile.writeBytes(
            File.readContents(at: "\(operatorKeys)/ca.pem", limit: 1 << 16),
            to: folder.authorityCertificate)
    }

    /// A certificate that Ferry itself would not issue, signed by this cluster's authority.
    func issueOddCertificate(uris: [String], to folder: KeyFolder) throws {
        try Folder.createFolder(at: folder.path, mode: 0o700)
        let request = "\(folder.path)/request.pem"
        try openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=odd", "-keyout", folder.key, "-out", request)
        let names = (uris.map { "URI:\($0)" } + ["DNS:odd.internal"]).joined(separator: ",")
        let extensions = "\(folder.path)/extensions"
        try AtomicFile.writeBytes(
            Array("extendedKeyUsage=clientAuth\nsubjectAltName=\(names)\n".utf8), to: extensions)
        let issuer = KeyFolder(file.authorityFolder)
        try openssl(
            "x509", "-req", "-in", request, "-CA", issuer.authorityCertificate, "-CAkey",
            issuer.authorityKey, "-CAcreateserial", "-CAserial", "\(folder.path)/serial", "-days",
            "1", "-extfile", extensions, "-out", folder.certificate)
        try trustOwnAuthority(folder)
    }

    private func openssl(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl \(arguments)")
    }
}
