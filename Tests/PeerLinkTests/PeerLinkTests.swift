// Mutual TLS between agents: who gets in, who does not, and what each is told.

import Foundation
import Host
import MigrationTestSupport
import Model
import PeerLink
import Testing

@Suite("Peer link")
struct PeerLinkTests {
    let keys: TestKeys
    let a: PeerKeys
    let b: PeerKeys

    init() throws {
        keys = try TestKeys()
        a = try PeerKeys(folder: keys.issue("a"))
        b = try PeerKeys(folder: keys.issue("b"))
    }

    @Test func `Two agents of a cluster know each other's names`() throws {
        let (client, server) = try pair(client: a, server: b, expecting: .agent(name("b")))
        #expect(try client.get().peer.description == "ferry://test/agent/b")
        #expect(try server.get().peer.description == "ferry://test/agent/a")
    }

    @Test func `Bytes arrive whole in both directions, also many at once`() throws {
        let (client, server) = try pair(client: a, server: b)
        let (left, right) = (try client.get(), try server.get())
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let received = try Later { () -> [UInt8]? in
            // What is missing shows in the comparison below.
            guard let bytes = try? right.receiveBytes(count: bytes.count) else { return nil }
            try? right.sendBytes(Array(bytes.suffix(10)))
            return bytes
        }
        try left.sendBytes(bytes)
        #expect(try left.receiveBytes(count: 10) == Array(bytes.suffix(10)))
        #expect(try received.get() == bytes)
    }

    // MARK: Certificates

    @Test func `A server with another name than meant is refused by the client`() throws {
        let (client, _) = try pair(client: a, server: b, expecting: .agent(name("c")))
        #expect(client.error == .wrongName(expected: name("c"), found: b.identity))
    }

    @Test func `A server that is no agent is refused by the client`() throws {
        let person = try PeerKeys(folder: keys.issue("b", role: .operator))
        let (client, _) = try pair(client: a, server: person, expecting: .agent(name("b")))
        #expect(client.error == .wrongRole(expected: .agent, found: person.identity))
    }

    @Test func `A server of another cluster with the same authority is refused`() throws {
        let other = try PeerKeys(folder: keys.issue("b", cluster: "other"))
        let (client, _) = try pair(client: a, server: other, expecting: .agent(name("b")))
        #expect(client.error == .wrongCluster(expected: a.identity.cluster, found: other.identity))
    }

    @Test func `A server of a foreign authority is refused, and gets the alert`() throws {
        try keys.makeAuthority("foreign")
        let stranger = try PeerKeys(folder: keys.issue("b", by: "foreign"))
        let (client, server) = try pair(client: a, server: stranger)
        guard case .untrustedPeer = client.error else {
            Issue.record("\(client)")
            return
        }
        #expect(server.error == .refusedByPeer(alert: "unknown ca"))
    }

    @Test func `A client of a foreign authority learns that it was refused`() throws {
        try keys.makeAuthority("foreign")
        let stranger = try PeerKeys(folder: keys.issue("a", by: "foreign"))
        let (client, server) = try pair(client: stranger, server: b)
        guard case .untrustedPeer = server.error else {
            Issue.record("\(server)")
            return
        }
        // In TLS 1.3 the client is done before the server has looked at its certificate.
        let connection = try client.get()
        #expect(throws: LinkError.refusedByPeer(alert: "unknown ca")) {
            try connection.receiveBytes(count: 1)
        }
    }

    @Test func `Expired certificates are named as such at both ends`() throws {
        let old = try PeerKeys(folder: keys.issue("b", days: -1))
        let (client, server) = try pair(client: a, server: old)
        guard case .expiredCertificate = client.error else {
            Issue.record("\(client)")
            return
        }
        #expect(server.error == .refusedByPeer(alert: "certificate expired"))
        let (late, strict) = try pair(client: old, server: a)
        guard case .expiredCertificate = strict.error else {
            Issue.record("\(strict)")
            return
        }
        let connection = try late.get()
        #expect(throws: LinkError.refusedByPeer(alert: "certificate expired")) {
            try connection.receiveBytes(count: 1)
        }
    }

    @Test func `A certificate with two identities is nobody's`() throws {
        #expect(throws: KeysError.self) {
            try PeerKeys(
                folder: keys.issue("b", uris: ["ferry://test/agent/b", "ferry://test/agent/c"]))
        }
        #expect(throws: KeysError.self) {
            try PeerKeys(folder: keys.issue("b", uris: ["https://example.org/b"]))
        }
    }

    @Test func `A key that others can read, or that belongs to another certificate, is refused`()
        throws
    {
        let folder = try keys.issue("c")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o640], ofItemAtPath: "\(folder)/key.pem")
        #expect(throws: KeysError.keyIsExposed(path: "\(folder)/key.pem", mode: 0o640)) {
            try PeerKeys(folder: folder)
        }
        let mixed = try keys.issue("d")
        let other = try keys.issue("e")
        try FileManager.default.removeItem(atPath: "\(mixed)/key.pem")
        try FileManager.default.copyItem(atPath: "\(other)/key.pem", toPath: "\(mixed)/key.pem")
        #expect(throws: KeysError.keyDoesNotMatch(path: "\(mixed)/key.pem")) {
            try PeerKeys(folder: mixed)
        }
        #expect(throws: KeysError.self) { try PeerKeys(folder: "\(folder)/nothing") }
    }

    // MARK: Strangers

    @Test func `A client that does not speak TLS is told apart`() throws {
        let (listener, address) = try listen()
        let accepted = try Later { [b] in accept(on: listener, b) }
        let socket = try TCPSocket.openConnection(to: address, within: .seconds(5))
        try socket.writeAllBytes(Array("GET / HTTP/1.1\r\nHost: here\r\n\r\n".utf8))
        #expect(try accepted.get().error == .notTLS)
    }

    @Test func `A server that does not speak TLS is told apart`() throws {
        let (listener, address) = try listen()
        let served = try Later { () -> Bool in
            guard let socket = try? TCPSocket.acceptConnection(on: listener, within: .seconds(5))
            else {
                return false
            }
            try? socket.writeAllBytes(Array("220 mail.example.org ESMTP\r\n".utf8))
            _ = try? socket.waitReadable(within: .seconds(5))
            return true
        }
        #expect(connect(to: address, .anyAgent, a).error == .notTLS)
        #expect(try served.get())
    }

    @Test func `A client that speaks TLS 1 dot 2 only is told apart`() throws {
        let (listener, address) = try listen()
        let accepted = try Later { [b] in accept(on: listener, b) }
        _ = try? keys.openssl([
            "s_client", "-connect", address.description, "-tls1_2", "-brief",
        ])
        #expect(try accepted.get().error == .tlsTooOld)
    }

    @Test func `A client without a certificate is refused`() throws {
        let (listener, address) = try listen()
        let accepted = try Later { [b] in accept(on: listener, b) }
        _ = try? keys.openssl([
            "s_client", "-connect", address.description, "-tls1_3", "-brief",
        ])
        #expect(try accepted.get().error == .untrustedPeer(detail: "the peer sent no certificate"))
    }

    @Test func `Nobody there is unreachable`() throws {
        let (_, address) = try listen()
        guard case .unreachable = connect(to: address, .anyAgent, a).error else {
            Issue.record("connected to a closed port")
            return
        }
    }

    // MARK: Ends and waits

    @Test func `A proper end and a cut are told apart`() throws {
        let (client, server) = try pair(client: a, server: b)
        let (left, right) = (try client.get(), try server.get())
        left.close()
        #expect(throws: LinkError.closed) { try right.receiveBytes(count: 1) }
        let (other, cut) = try pair(client: a, server: b)
        let end = try cut.get()
        try other.get().abortConnection()
        #expect(throws: LinkError.broken(nil)) { try end.receiveBytes(count: 1) }
    }

    @Test func `A silent peer is noticed in time`() throws {
        let (client, server) = try pair(client: a, server: b, silenceMax: .milliseconds(100))
        let left = try client.get()
        let start = Instant.now
        #expect(throws: LinkError.timedOut(after: .milliseconds(100))) {
            try left.receiveBytes(count: 1)
        }
        #expect(Instant.now - start < .seconds(2))
        withExtendedLifetime(server) {}
    }

    @Test func `The kernel waits for a dead peer as long as the longest silence that was allowed`()
        throws
    {
        let (listener, address) = try listen()
        let accepted = try Later { [b] () -> (Descriptor, PeerConnection)? in
            guard let socket = try? TCPSocket.acceptConnection(on: listener, within: .seconds(5)),
                let wakeup = try? Wakeup(),
                let connection = try? PeerConnection.acceptConnection(
                    on: socket, keys: b, silenceMax: .seconds(5), interruptedBy: wakeup)
            else { return nil }
            return (socket, connection)
        }
        let client = connect(to: address, .anyAgent, a)
        let (socket, connection) = try #require(try accepted.get())
        for (silence, kernel) in [(5, 5), (10, 10), (3, 10), (24 * 3600, 120)] {
            connection.silenceMax = .seconds(silence)
            var milliseconds: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            let result = unsafe getsockopt(
                socket.number, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds, &size)
            #expect(result == 0)
            #expect(milliseconds == kernel * 1000)
        }
        withExtendedLifetime(client) {}
    }

    @Test func `A peer that takes nothing is noticed in time`() throws {
        let (client, server) = try pair(client: a, server: b, silenceMax: .milliseconds(100))
        let left = try client.get()
        #expect(throws: LinkError.timedOut(after: .milliseconds(100))) {
            for _ in 0..<64 { try left.sendBytes([UInt8](repeating: 0, count: 1 << 20)) }
        }
        withExtendedLifetime(server) {}
    }

    @Test func `A wait ends when another thread says so`() throws {
        let (listener, address) = try listen()
        let accepted = try Later { [b] in accept(on: listener, b) }
        let wakeup = try Wakeup()
        let left = try connect(to: address, .anyAgent, a, wakeup: wakeup).get()
        let waiting = try Later { () -> LinkError? in
            do throws(LinkError) {
                _ = try left.receiveBytes(count: 1)
                return nil
            } catch {
                return error
            }
        }
        wakeup.setFlag()
        #expect(try waiting.get() == .interrupted)
        withExtendedLifetime(try accepted.get()) {}
    }
}
