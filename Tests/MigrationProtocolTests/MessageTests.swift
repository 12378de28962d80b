// The peer protocol's messages as bytes.

import MigrationProtocol
import Model
import Ownership
import Testing
import Wire

@Suite("Peer messages")
struct MessageTests {
    static let samples: [PeerMessage] = {
        let id = Identifier128(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10)
        let token = (0..<32).map { UInt8($0) }
        guard let name = try? VMName("web-1") else { return [] }
        let spec = VMSpec(
            name: name, memory: .gibibytes(1), vcpus: 2, downtimeLimit: .milliseconds(50),
            commandLine: "console=ttyS0",
            kernel: .unknown)
        let offer = MigrationOffer(
            migration: id, vm: id, epoch: Epoch(7), spec: spec,
            cpuFeatures: CPUFeatures(["avx2", "sse2"]), streams: 2, hashSeed: 99)
        var rehearsal = offer
        rehearsal.isRehearsal = true
        var leased = offer
        leased.spec.isLeased = true
        return [
            .hello(versions: 1...3, .control),
            .hello(versions: 1...1, .data(token: token, stream: 5)),
            .hello(versions: 1...1, .question),
            .welcome(version: 1),
            .refused(
                MigrationRefusal(
                    .cpuFeaturesMissing, text: "missing features", details: ["avx512f", "sha"])),
            .offer(offer), .offer(rehearsal), .offer(leased),
            .accepted(token: token, ledgerWrite: .microseconds(800), kept: nil),
            .accepted(
                token: token, ledgerWrite: .microseconds(800),
                kept: KeptMemory(hashSeed: 7, pages: 262144)),
            .hashes(firstPage: 4096, [UInt8](repeating: 9, count: 3 * hashBytes)),
            .rehearse(state: [1, 2, 3]), .rehearsed(load: .microseconds(70)),
            .takeoverNotice(TakeoverNotice(vm: id, epoch: Epoch(9), migration: id)),
            .answer(.superseded(Epoch(9))),
            .alive(round: 3, remainingBytes: 1 << 40),
            .state([1, 2, 3]),
            .verify(round: 4, digest: MemoryDigest(low: 1, high: 2)),
            .ready(digest: MemoryDigest(low: 3, high: 4), load: .milliseconds(2)),
            .go(Epoch(8)),
            .running(Epoch(8), own: .milliseconds(1), resume: .microseconds(30)),
            .question(OwnershipQuestion(vm: id, epoch: Epoch(8), migration: id)),
            .answer(.taken(Epoch(8))),
            .answer(.neverRan(Epoch(8))),
        ]
    }()

    private func parse(_ bytes: [UInt8]) throws(WireError) -> PeerMessage {
        guard bytes.count >= PeerMessageHeader.bytes else {
            throw .truncated(field: "header", needed: 8, available: bytes.count)
        }
        let header = try PeerMessageHeader(Array(bytes.prefix(PeerMessageHeader.bytes)))
        let body = Array(bytes.dropFirst(PeerMessageHeader.bytes))
        guard body.count >= header.bodyBytes else {
            throw .truncated(field: "body", needed: header.bodyBytes, available: body.count)
        }
        return try PeerMessage(kind: header.kind, body: Array(body.prefix(header.bodyBytes)))
    }

    @Test(arguments: samples)
    func `What was written is read back`(_ message: PeerMessage) throws {
        #expect(try parse(message.bytes) == message)
    }

    @Test(arguments: samples)
    func `Every truncation is an error`(_ message: PeerMessage) {
        let bytes = message.bytes
        for count in 0..<bytes.count {
            #expect(throws: WireError.self) { try parse(Array(bytes.prefix(count))) }
        }
        // A body cut short although its header agrees with the cut.
        if message.isAllState { return }
        for count in 0..<(bytes.count - PeerMessageHeader.bytes) {
            let kind = UInt16(bytes[4]) | UInt16(bytes[5]) << 8
            let body = Array(bytes.dropFirst(PeerMessageHeader.bytes).prefix(count))
            #expect(throws: WireError.self) { try PeerMessage(kind: kind, body: body) }
        }
    }

    @Test(arguments: samples)
    func `Bytes left over are an error`(_ message: PeerMessage) {
        if message.isAllState { return }
        let kind = UInt16(message.bytes[4])
        let body = Array(message.bytes.dropFirst(PeerMessageHeader.bytes)) + [0]
        #expect(throws: WireError.trailingBytes(1)) { try PeerMessage(kind: kind, body: body) }
    }

    @Test func `Thousands of flipped bits are an error or another message, never a trap`() {
        var state: UInt64 = 0x5EED
        func random() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        for message in Self.samples {
            for _ in 0..<1000 {
                var bytes = message.bytes
                for _ in 0...(random() % 3) {
                    let bit = Int(random() % UInt64(bytes.count * 8))
                    bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                }
                _ = try? parse(bytes)
            }
        }
    }

    @Test func `A message has these bytes`() {
        #expect(
            PeerMessage.go(Epoch(258)).bytes
                == [8, 0, 0, 0, 10, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0])
        #expect(
            PeerMessage.hello(versions: 1...2, .control).bytes
                == [13, 0, 0, 0, 1, 0, 0, 0] + Array("FERRYMIG".utf8) + [1, 0, 2, 0, 1])
        #expect(
            PeerMessage.refused(MigrationRefusal(.busy, text: "no", details: ["x"])).bytes
                == [
                    17, 0, 0, 0, 3, 0, 0, 0, 8, 0, 2, 0, 0, 0, 0x6E, 0x6F, 1, 0, 0, 0, 1, 0, 0, 0,
                    0x78,
                ])
        #expect(
            PeerMessage.verify(round: 3, digest: MemoryDigest(low: 1, high: 2)).bytes
                == [
                    20, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0,
                    0, 0,
                ])
    }

    @Test func `Only a leased VM's offer differs from version 2, which cannot make it`() throws {
        let offers = Self.samples.compactMap {
            if case .offer(let offer) = $0 { offer } else { nil }
        }
        let flags = offers.map { PeerMessage.offer($0).bytes[PeerMessageHeader.bytes + 50] }
        #expect(flags == [0, 1, 2])
        #expect(offers.map(\.versions) == [2...3, 2...3, 3...3])
        var bytes = PeerMessage.offer(offers[0]).bytes
        bytes[PeerMessageHeader.bytes + 50] = 4
        #expect(throws: WireError.invalid(field: "flags", value: 4)) { try parse(bytes) }
    }

    @Test func `A frame that is too long is refused before its body`() {
        let over = UInt32(Limits.bodyBytesMax + 1)
        func header(_ count: UInt32, kind: UInt8) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: count >> UInt32($0 * 8)) } + [kind, 0, 0, 0]
        }
        #expect(throws: WireError.self) { try PeerMessageHeader(header(over, kind: 4)) }
        #expect(throws: WireError.self) { try PeerMessageHeader(header(.max, kind: 7)) }
        #expect(throws: Never.self) { try PeerMessageHeader(header(over, kind: 7)) }
        #expect(throws: WireError.invalid(field: "kind", value: 99)) {
            try PeerMessageHeader(header(0, kind: 99))
        }
    }

    @Test func `Words too long for the wire are cut, not refused`() throws {
        let refusal = MigrationRefusal(
            .hostFailure, text: String(repeating: "ä", count: 5000),
            details: (0..<400).map { "\($0)" + String(repeating: "x", count: 400) })
        guard case .refused(let read) = try parse(PeerMessage.refused(refusal).bytes) else {
            Issue.record("another message")
            return
        }
        #expect(read.text.utf8.count == Limits.textBytesMax)
        #expect(read.details.count == Limits.detailsMax)
        #expect(read.details[3].hasPrefix("3xx"))
    }

    @Test(
        arguments: [
            (1...1, 1...1, 1), (1...3, 2...5, 3), (2...2, 3...4, nil), (3...9, 1...2, nil),
            (1...9, 4...4, 4),
        ] as [(ClosedRange<UInt16>, ClosedRange<UInt16>, UInt16?)])
    func `The highest version that both speak is agreed`(
        _ ours: ClosedRange<UInt16>, _ theirs: ClosedRange<UInt16>, _ agreed: UInt16?
    ) {
        #expect(agreedVersion(ours: ours, theirs: theirs) == agreed)
        #expect(agreedVersion(ours: theirs, theirs: ours) == agreed)
    }
}

extension PeerMessage {
    /// Its body is saved state, of any length.
    fileprivate var isAllState: Bool {
        switch self {
        case .state, .rehearse: true
        default: false
        }
    }
}
