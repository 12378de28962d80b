import Foundation
import Host
import Keys
import Model
import Testing

/// A folder of its own for a test, gone afterwards.
struct ScratchFolder: ~Copyable {
    let path: String

    init() throws {
        path = "\(NSTemporaryDirectory())ferry-keys-\(UInt64.random(in: .min ... .max))"
        try Folder.createFolder(at: path, mode: 0o700)
    }

    deinit { try? Folder.removeRecursively(at: path) }
}

@Suite("The cluster's keys")
struct KeysTests {
    private static func authority() throws -> ClusterAuthority {
        try ClusterAuthority(cluster: ClusterName("test"))
    }

    @Test("A leaf says who its holder is, as a URI and as a DNS name, and who issued it")
    func leaf() throws {
        let scratch = try ScratchFolder()
        let folder = KeyFolder("\(scratch.path)/agent-host-a")
        try Self.authority().issueCertificate(as: .agent, name: HostName("host-a"), to: folder)
        let facts = try CertificateFacts(loading: folder.certificate)
        #expect(facts.identity?.description == "ferry://test/agent/host-a")
        #expect(facts.dnsNames == ["host-a.agent.test.ferry.internal"])
        #expect(facts.kind == .leaf)
        #expect(facts.cluster == "test")
        #expect(facts.serialNumber.count == 32)
        let credentials = try Credentials(loading: folder)
        #expect(credentials.identity == facts.identity)
        #expect(!credentials.isExpired())
    }

    @Test("An authority says that it is one, and names no holder")
    func authority() throws {
        let scratch = try ScratchFolder()
        let folder = KeyFolder("\(scratch.path)/authority")
        try Self.authority().writeKeyFiles(to: folder)
        let facts = try CertificateFacts(loading: folder.authorityCertificate)
        #expect(facts.kind == .authority)
        #expect(facts.identity == nil)
        #expect(facts.cluster == "test")
        #expect(try ClusterAuthority(loading: folder).cluster == ClusterName("test"))
    }

    @Test("OpenSSL verifies what is issued, for both ends of a connection")
    func openSSL() throws {
        let scratch = try ScratchFolder()
        let folder = KeyFolder("\(scratch.path)/agent-host-a")
        try Self.authority().issueCertificate(as: .agent, name: HostName("host-a"), to: folder)
        for purpose in ["sslserver", "sslclient"] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = [
                "verify", "-x509_strict", "-purpose", purpose, "-CAfile",
                folder.authorityCertificate, folder.certificate,
            ]
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        }
    }

    @Test("Private keys are 0600 and folders 0700, whatever the umask")
    func permissions() throws {
        let scratch = try ScratchFolder()
        let authorityFolder = KeyFolder("\(scratch.path)/authority")
        let folder = KeyFolder("\(scratch.path)/operator-admin")
        let authority = try Self.authority()
        try authority.writeKeyFiles(to: authorityFolder)
        try authority.issueCertificate(as: .operator, name: HostName("admin"), to: folder)
        for path in [authorityFolder.authorityKey, folder.key] {
            #expect(try File.permissionBits(at: path) == 0o600)
        }
        for path in [authorityFolder.path, folder.path] {
            #expect(try File.permissionBits(at: path) == 0o700)
        }
        #expect(try Folder.entryNames(at: folder.path) == ["ca.pem", "cert.pem", "key.pem"])
    }

    @Test("Nothing is overwritten unless that was asked for, and an authority never")
    func overwriting() throws {
        let scratch = try ScratchFolder()
        let authorityFolder = KeyFolder("\(scratch.path)/authority")
        let folder = KeyFolder("\(scratch.path)/agent-host-a")
        let (authority, name) = (try Self.authority(), try HostName("host-a"))
        try authority.writeKeyFiles(to: authorityFolder)
        try authority.issueCertificate(as: .agent, name: name, to: folder)
        let before = try CertificateFacts(loading: folder.certificate).serialNumber
        #expect(throws: PKIError.self) { try authority.writeKeyFiles(to: authorityFolder) }
        #expect(throws: PKIError.self) {
            try authority.issueCertificate(as: .agent, name: name, to: folder)
        }
        #expect(try CertificateFacts(loading: folder.certificate).serialNumber == before)
        try authority.issueCertificate(as: .agent, name: name, to: folder, overwrite: true)
        #expect(try CertificateFacts(loading: folder.certificate).serialNumber != before)
        _ = try Credentials(loading: folder)
    }

    @Test("Validity begins a little in the past and lasts as long as asked, within bounds")
    func validity() throws {
        let scratch = try ScratchFolder()
        let folder = KeyFolder("\(scratch.path)/agent-host-a")
        let (authority, name, now) = (try Self.authority(), try HostName("host-a"), Date.now)
        try authority.issueCertificate(as: .agent, name: name, days: 30, to: folder, now: now)
        let facts = try CertificateFacts(loading: folder.certificate)
        #expect(facts.notValidBefore < now)
        #expect(abs(facts.notValidAfter.timeIntervalSince(now) - 30 * 86400) < 2)
        for days in [0, -1, 100_000] {
            #expect(throws: PKIError.self) {
                try authority.issueCertificate(as: .agent, name: name, days: days, to: folder)
            }
        }
        #expect(throws: PKIError.self) {
            try authority.issueCertificate(
                as: .agent, name: name, days: 3650, to: folder, overwrite: true,
                now: now.addingTimeInterval(86400))
        }
    }

    @Test("A certificate that has expired is known as such")
    func expiry() throws {
        let scratch = try ScratchFolder()
        let folder = KeyFolder("\(scratch.path)/agent-host-a")
        let past = Date.now.addingTimeInterval(-10 * 86400)
        try ClusterAuthority(cluster: ClusterName("test"), now: past)
            .issueCertificate(as: .agent, name: HostName("host-a"), days: 1, to: folder, now: past)
        #expect(try Credentials(loading: folder).isExpired())
    }

    @Test(
        "Keys that others may read, that do not fit, or that are from elsewhere are refused by name"
    )
    func refusals() throws {
        let scratch = try ScratchFolder()
        let name = try HostName("host-a")
        let one = KeyFolder("\(scratch.path)/one")
        let other = KeyFolder("\(scratch.path)/other")
        try Self.authority().issueCertificate(as: .agent, name: name, to: one)
        try Self.authority().issueCertificate(as: .agent, name: name, to: other)

        #expect(throws: PKIError.self) { try Credentials(loading: KeyFolder("/nowhere")) }
        try replace(one.authorityCertificate, with: other.authorityCertificate)
        let error = #expect(throws: PKIError.self) { try Credentials(loading: one) }
        #expect(error.map { "\($0)" }?.contains("not issued by the authority") == true)
        try replace(one.key, with: other.key)
        #expect(throws: PKIError.self) { try Credentials(loading: one) }
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: other.key)
        let exposed = #expect(throws: PKIError.self) { try Credentials(loading: other) }
        #expect(exposed.map { "\($0)" }?.contains("chmod 600") == true)
    }

    private func replace(_ path: String, with other: String) throws {
        try AtomicFile.writeBytes(
            File.readContents(at: other, limit: 1 << 16), to: path, mode: 0o600)
    }
}
