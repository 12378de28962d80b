// The destination's door: strangers, bad manners, and peers that lie.

import Host
import Migration
import MigrationProtocol
import MigrationTestSupport
import Model
import Ownership
import PeerLink
import Testing

@Suite("Peer server")
struct PeerServerTests {
    private func withHost(
        _ body: (FakeHost, PeerAddress) throws -> Void
    ) throws {
        let host = try FakeHost(name: "b")
        let address = try host.serve(SharedKeys.all.b)
        defer { host.stop() }
        try body(host, address)
    }

    private func code(_ message: PeerMessage) -> MigrationRefusal.Code? {
        if case .refused(let refusal) = message { refusal.code } else { nil }
    }

    @Test func `A person's certificate opens no migration`() throws {
        try withHost { host, address in
            let person = try PeerKeys(
                folder: SharedKeys.all.keys.issue("ann", role: .operator))
            let (_, reply) = try dial(address, person, .control)
            #expect(code(reply) == .notAllowed)
        }
    }

    @Test func `A version that is not spoken is refused with both sides' versions`() throws {
        try withHost { host, address in
            let (_, reply) = try dial(address, SharedKeys.all.a, .control, versions: 7...9)
            guard case .refused(let refusal) = reply else {
                Issue.record("\(reply)")
                return
            }
            #expect(refusal.code == .versionMismatch)
            #expect(refusal.details == ["here 2 to 3", "there 7 to 9"])
        }
    }

    @Test func `A stream without a session is refused`() throws {
        try withHost { host, address in
            let token = [UInt8](repeating: 0, count: 32)
            let (_, reply) = try dial(
                address, SharedKeys.all.a, .data(token: token, stream: 0))
            #expect(code(reply) == .notAllowed)
        }
    }

    @Test func `A stream is taken once, and only from the session's own peer`() throws {
        try withHost { host, address in
            let (control, _) = try dial(address, SharedKeys.all.a, .control)
            try control.sendMessage(.offer(sampleOffer()))
            guard case .accepted(let token, _, _) = try control.receiveAnyMessage() else {
                Issue.record("not accepted")
                return
            }
            let thief = try PeerKeys(folder: SharedKeys.all.keys.issue("c"))
            let (_, stolen) = try dial(address, thief, .data(token: token, stream: 0))
            #expect(code(stolen) == .notAllowed)
            let (data, first) = try dial(
                address, SharedKeys.all.a, .data(token: token, stream: 0))
            #expect(first == .welcome(version: 2))
            for stream in [0, 1] {
                let (_, again) = try dial(
                    address, SharedKeys.all.a, .data(token: token, stream: stream))
                #expect(code(again) == .notAllowed)
            }
            withExtendedLifetime(data) {}
        }
    }

    /// A session up to the point where everything was sent.
    private func session(
        _ address: PeerAddress, frames: [UInt8], digest: MemoryDigest
    ) throws -> (control: PeerConnection, data: PeerConnection) {
        let (control, _) = try dial(address, SharedKeys.all.a, .control)
        try control.sendMessage(.offer(sampleOffer()))
        guard case .accepted(let token, _, _) = try control.receiveAnyMessage() else {
            throw TestFailure("not accepted")
        }
        let (data, _) = try dial(address, SharedKeys.all.a, .data(token: token, stream: 0))
        try data.sendBytes(frames)
        try control.sendMessage(.state([1]))
        try control.sendMessage(.verify(round: 1, digest: digest))
        return (control, data)
    }

    @Test func `Roots that differ are refused by the destination, and nothing is kept`() throws {
        try withHost { host, address in
            let (control, data) = try session(
                address, frames: endOfRound(1), digest: MemoryDigest(low: 1, high: 1))
            #expect(code(try control.receiveAnyMessage()) == .memoryDiffers)
            #expect(
                try host.waitForOutcome()
                    == .discarded(
                        MigrationRefusal(
                            .memoryDiffers, text: "the memory digests differ",
                            details: [
                                "source \(MemoryDigest(low: 1, high: 1))",
                                "destination \(MemoryDigest.empty)",
                            ])))
            #expect(host.guests.first?.now.isDiscarded == true)
            withExtendedLifetime(data) {}
        }
    }

    @Test func `A damaged page frame ends the session with its reason`() throws {
        try withHost { host, address in
            var frame = endOfRound(1)
            frame[4] = 77
            let (control, data) = try session(address, frames: frame, digest: .empty)
            #expect(code(try control.receiveAnyMessage()) == .protocolViolation)
            guard case .discarded = try host.waitForOutcome() else {
                Issue.record("not discarded")
                return
            }
            withExtendedLifetime(data) {}
        }
    }

    @Test func `A source that goes away after ready leaves a never-ran behind`() throws {
        try withHost { host, address in
            let (control, data) = try session(address, frames: endOfRound(1), digest: .empty)
            guard case .ready = try control.receiveAnyMessage() else {
                Issue.record("not ready")
                return
            }
            control.abortConnection()
            data.abortConnection()
            guard case .discarded = try host.waitForOutcome() else {
                Issue.record("not discarded")
                return
            }
            let vm = try #require(host.ledger.ownerships.first)
            guard case .neverRan = vm.value else {
                Issue.record("\(vm.value)")
                return
            }
        }
    }

    @Test func `Messages that do not belong here end the session`() throws {
        try withHost { host, address in
            for message: PeerMessage in [
                .ready(digest: .empty, load: .zero), .go(Epoch(2)), .welcome(version: 2),
            ] {
                let (control, _) = try dial(address, SharedKeys.all.a, .control)
                try control.sendMessage(message)
                #expect(code(try control.receiveAnyMessage()) == .protocolViolation, "\(message)")
            }
            let (early, reply) = try dial(address, SharedKeys.all.a, .question)
            #expect(reply == .welcome(version: 2))
            try early.sendMessage(.go(Epoch(2)))
            #expect(code(try early.receiveAnyMessage()) == .protocolViolation)
        }
    }

    @Test func `Frames that are too long or unknown are refused`() throws {
        try withHost { host, address in
            for header: [UInt8] in [
                [255, 255, 255, 255, 4, 0, 0, 0], [0, 0, 0, 0, 99, 0, 0, 0],
                [8, 0, 0, 0, 10, 0, 1, 0],
            ] {
                let (control, _) = try dial(address, SharedKeys.all.a, .control)
                try control.sendBytes(header)
                #expect(code(try control.receiveAnyMessage()) == .protocolViolation)
            }
        }
    }

    @Test func `Clients that are silent or speak no TLS hold up nobody`() throws {
        let bench = try Bench()
        var idle: [Descriptor] = []
        for index in 0..<20 {
            let socket = try TCPSocket.openConnection(
                to: bench.address.address, within: .seconds(2))
            if index % 2 == 0 { try socket.writeAllBytes(Array("HELO\r\n".utf8)) }
            idle.append(socket)
        }
        _ = try bench.run().get()
        withExtendedLifetime(idle) {}
    }

    @Test func `A destination of another name is refused by the source`() throws {
        try withHost { host, address in
            let guest = try FakeGuest(memory: .mebibytes(16))
            let migration = SourceMigration(
                vm: .random(), epoch: .first, guest: guest,
                to: PeerAddress(name: try HostName("c"), address: address.address),
                keys: SharedKeys.all.a, ledger: MemoryLedger())
            do throws(MigrationFailure) {
                _ = try migration.runToCompletion()
                Issue.record("it went to another host")
            } catch {
                guard case .link(.wrongName) = error.reason else {
                    Issue.record("\(error)")
                    return
                }
                #expect(error.phase == .connect)
            }
        }
    }
}

@Suite("Source against a peer that lies")
struct LyingDestinationTests {
    @Test func `A destination that answers with another digest gets no GO`() throws {
        let listener = try TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0))
        let port = try TCPSocket.boundPort(of: listener)
        let lie = MemoryDigest(low: 1, high: 2)
        let liar = try NamedThread(name: "liar") {
            // What fails here fails the expectations below.
            try? lyingDestination(listener, digest: lie)
        }
        defer { liar.joinThread() }
        let guest = try FakeGuest(memory: .mebibytes(16))
        let vm = VMID.random()
        let ledger = MemoryLedger([.owned(vm: vm, epoch: .first, migration: nil)])
        let migration = SourceMigration(
            vm: vm, epoch: .first, guest: guest,
            to: PeerAddress(
                name: try HostName("b"), address: SocketAddress(ip: "127.0.0.1", port: port)),
            keys: SharedKeys.all.a, ledger: ledger, options: MigrationOptions(streams: 1))
        do throws(MigrationFailure) {
            _ = try migration.runToCompletion()
            Issue.record("it was handed over")
        } catch {
            guard case .memoryDiffers(_, "\(lie)") = error.reason else {
                Issue.record("\(error)")
                return
            }
            #expect(error.aftermath == .runsAtSource(.first))
        }
        #expect(guest.now.isRunning)
        #expect(ledger.records.isEmpty)
    }
}

extension LyingDestinationTests {
    /// What a destination says of kept memory that cannot be, of a VM of 4,096 pages.
    static let lies: [(pages: UInt64, hashes: [(first: UInt64, count: Int)])] = [
        (4097, []), (.max, []), (1, [(4096, 1)]), (2, [(4095, 2)]), (1, [(.max, 1)]),
        (4, [(0, 0)]), (4, [(0, 5)]), (4, [(8, 2), (9, 2)]), (4, [(8, 2), (0, 2)]),
    ]

    @Test(arguments: lies.indices)
    func `Kept memory that cannot be ends it before the first page`(_ index: Int) throws {
        let lie = Self.lies[index]
        let listener = try TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0))
        let port = try TCPSocket.boundPort(of: listener)
        let liar = try NamedThread(name: "liar") {
            // What fails here fails the expectations below.
            guard let socket = try? TCPSocket.acceptConnection(on: listener, within: .seconds(5)),
                let control = try? PeerConnection.acceptConnection(
                    on: socket, keys: SharedKeys.all.b, silenceMax: .seconds(5),
                    interruptedBy: Wakeup())
            else { return }
            _ = try? control.receiveAnyMessage()
            try? control.sendMessage(.welcome(version: 2))
            _ = try? control.receiveAnyMessage()
            let token = [UInt8](repeating: 1, count: 32)
            let kept = KeptMemory(hashSeed: 1, pages: lie.pages)
            try? control.sendMessage(.accepted(token: token, ledgerWrite: .zero, kept: kept))
            for (first, count) in lie.hashes {
                let bytes = [UInt8](repeating: 7, count: count * hashBytes)
                try? control.sendMessage(.hashes(firstPage: first, bytes))
            }
            _ = try? control.receiveAnyMessage()
        }
        defer { liar.joinThread() }
        let guest = try FakeGuest(memory: .mebibytes(16))
        let migration = SourceMigration(
            vm: .random(), epoch: .first, guest: guest,
            to: PeerAddress(
                name: try HostName("b"), address: SocketAddress(ip: "127.0.0.1", port: port)),
            keys: SharedKeys.all.a, ledger: MemoryLedger(), options: MigrationOptions(streams: 1))
        do throws(MigrationFailure) {
            _ = try migration.runToCompletion()
            Issue.record("it believed the lie")
        } catch {
            guard case .malformed = error.reason else {
                Issue.record("\(error)")
                return
            }
            #expect(error.aftermath == .runsAtSource(.first))
        }
    }
}

/// Accepts a migration, drops its pages, and claims a digest.
private func lyingDestination(_ listener: Descriptor, digest: MemoryDigest) throws {
    func next() throws -> PeerConnection {
        guard let socket = try TCPSocket.acceptConnection(on: listener, within: .seconds(5)) else {
            throw TestFailure("nobody came")
        }
        let connection = try PeerConnection.acceptConnection(
            on: socket, keys: SharedKeys.all.b, silenceMax: .seconds(5), interruptedBy: Wakeup())
        _ = try connection.receiveAnyMessage()
        try connection.sendMessage(.welcome(version: 2))
        return connection
    }
    let control = try next()
    _ = try control.receiveAnyMessage()
    try control.sendMessage(
        .accepted(token: [UInt8](repeating: 1, count: 32), ledgerWrite: .zero, kept: nil))
    let data = try next()
    while true {
        if case .verify = try control.receiveAnyMessage() { break }
    }
    try control.sendMessage(.ready(digest: digest, load: .zero))
    _ = try control.receiveAnyMessage()
    withExtendedLifetime(data) {}
}
