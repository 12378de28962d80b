// A peer of another version of the protocol: the negotiation ends with an error that names the versions of both.

import Host
import Migration
import MigrationProtocol
import MigrationTestSupport
import Model
import PeerLink
import Testing

@Suite("Versions of the peer protocol")
struct VersionTests {
    private let ours =
        "\(MigrationProtocol.Limits.versionMin) to \(MigrationProtocol.Limits.versionMax)"

    @Test(arguments: [1...1, 90...99] as [ClosedRange<UInt16>])
    func `A destination tells a source of another version which versions both have`(
        _ theirs: ClosedRange<UInt16>
    ) throws {
        let host = try FakeHost(name: "b")
        let address = try host.serve(SharedKeys.all.b)
        defer { host.stop() }
        let purposes: [ConnectionPurpose] = [
            .control, .question, .data(token: [UInt8](repeating: 0, count: 32), stream: 0),
        ]
        for purpose in purposes {
            let (_, reply) = try dial(address, SharedKeys.all.a, purpose, versions: theirs)
            guard case .refused(let refusal) = reply else {
                Issue.record("\(reply)")
                continue
            }
            #expect(refusal.code == .versionMismatch)
            let source = "the source \(theirs.lowerBound) to \(theirs.upperBound)"
            #expect(refusal.text.contains("the destination supports \(ours)"), "\(refusal)")
            #expect(refusal.text.contains(source), "\(refusal)")
        }
        #expect(host.guests.isEmpty)
    }

    /// As a destination of version 1 answers, word by word.
    private static func refuseAsVersion1(_ listener: Descriptor) throws {
        guard let socket = try TCPSocket.acceptConnection(on: listener, within: .seconds(5)) else {
            return
        }
        let control = try PeerConnection.acceptConnection(
            on: socket, keys: SharedKeys.all.b, silenceMax: .seconds(5), interruptedBy: Wakeup())
        guard case .hello(let versions, _) = try control.receiveAnyMessage() else { return }
        try control.sendMessage(
            .refused(
                MigrationRefusal(
                    .versionMismatch, text: "no version of the peer protocol that both speak",
                    details: [
                        "here 1 to 1", "there \(versions.lowerBound) to \(versions.upperBound)",
                    ])))
        _ = try? control.receiveAnyMessage()
    }

    @Test func `A source whose destination is older fails with the versions of both`() throws {
        let listener = try TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0))
        let port = try TCPSocket.boundPort(of: listener)
        let older = try NamedThread(name: "older") {
            // What fails here fails the expectations below.
            try? Self.refuseAsVersion1(listener)
        }
        defer { older.joinThread() }
        let guest = try FakeGuest(memory: .mebibytes(16))
        let migration = SourceMigration(
            vm: .random(), epoch: .first, guest: guest,
            to: PeerAddress(
                name: try HostName("b"), address: SocketAddress(ip: "127.0.0.1", port: port)),
            keys: SharedKeys.all.a, ledger: MemoryLedger())
        do throws(MigrationFailure) {
            _ = try migration.runToCompletion()
            Issue.record("it went to a host of another version")
        } catch {
            guard case .refused(let refusal) = error.reason else {
                Issue.record("\(error)")
                return
            }
            #expect(refusal.code == .versionMismatch)
            #expect("\(error)".contains("1 to 1") && "\(error)".contains(ours), "\(error)")
            #expect(error.aftermath == .runsAtSource(.first))
        }
        #expect(guest.now.isRunning)
    }
}
