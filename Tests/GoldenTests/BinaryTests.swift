// The messages of agents among each other and with ferry-vmm, as bytes.

import Host
import MigrationProtocol
import Model
import Ownership
import Testing
import VMControl
import Wire

/// Lines "name bytes" of a file, each the bytes of one of these values, and the value that is read from them.
private func check<Value: Equatable>(
    _ file: String, _ values: [(name: String, value: Value)], write: (Value) -> [UInt8],
    read: (ArraySlice<UInt8>) throws -> Value
) throws {
    try GoldenFile.check(
        file, hasLines: values.map { "\($0.name) \(write($0.value).hexadecimal())" })
    for (line, value) in zip(try GoldenFile.lines(file), values) {
        let bytes = try #require(
            line.split(separator: " ").last.flatMap { [UInt8](hexadecimal: $0) })
        #expect(try read(bytes[...]) == value.value, "\(file), \(value.name)")
    }
}

extension [UInt8] {
    init?(hexadecimal text: some StringProtocol) {
        let digits = Array<UInt8>(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        self = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
        }
        guard count == digits.count / 2 else { return nil }
    }
}

enum Sample {
    static let vm = VMID(high: 0x0123_4567_89AB_CDEF, low: 0x0011_2233_4455_6677)
    static let migration = MigrationID(high: 0xA0A1_A2A3_A4A5_A6A7, low: 0xB0B1_B2B3_B4B5_B6B7)
    static let seed: UInt64 = 0xF00D_F00D_BEEF_BEEF

    static func spec(_ kernel: KernelSource = .unknown, isLeased: Bool = false) throws -> VMSpec {
        VMSpec(
            name: try VMName("web-1"), memory: .gibibytes(1), vcpus: 2, hugePages: true,
            downtimeLimit: DowntimeLimit(.microseconds(62_500)), commandLine: "console=ttyS0",
            kernel: kernel, isLeased: isLeased)
    }

    static func ledgerRecords() throws -> [(name: String, value: LedgerRecord)] {
        let host = try HostName("host-b")
        return [
            ("owned", .owned(vm: vm, epoch: Epoch(258), migration: nil)),
            ("owned-by-migration", .owned(vm: vm, epoch: Epoch(258), migration: migration)),
            ("released", .released(vm: vm, epoch: Epoch(258), to: host, migration: migration)),
            ("handed-over", .handedOver(vm: vm, epoch: Epoch(258), to: host, migration: migration)),
            ("ruled", .takenOver(vm: vm, epoch: Epoch(258), against: host, migration: migration)),
            ("overruled", .superseded(vm: vm, epoch: Epoch(258), by: host)),
            ("incoming", .incoming(vm: vm, epoch: Epoch(258), from: host, migration: migration)),
            ("never-ran", .neverRan(vm: vm, epoch: Epoch(258), migration: migration)),
            ("deleted", .deleted(vm: vm, epoch: Epoch(258))),
        ]
    }
}

@Suite("Golden peer messages")
struct GoldenPeerTests {
    private static let refusals: [MigrationRefusal.Code] = [
        .versionMismatch, .protocolViolation, .notAllowed, .cpuFeaturesMissing, .notEnoughMemory,
        .nameExists, .vmExists, .busy, .notAccepting, .badSpec, .memoryDiffers, .badState,
        .guestFailure, .ledgerFailure, .hostFailure, .cancelled, .gaveUp, .timedOut,
    ]

    private static func offer(
        _ kernel: KernelSource, isLeased: Bool = false, isRehearsal: Bool = false
    ) throws -> PeerMessage {
        .offer(
            MigrationOffer(
                migration: Sample.migration, vm: Sample.vm, epoch: Epoch(7),
                spec: try Sample.spec(kernel, isLeased: isLeased),
                cpuFeatures: CPUFeatures(["avx2", "sse2"]), streams: 2, hashSeed: Sample.seed,
                isRehearsal: isRehearsal))
    }

    private static func messages() throws -> [(name: String, value: PeerMessage)] {
        let token = (0..<32).map { UInt8($0) }
        let (vm, migration) = (Sample.vm, Sample.migration)
        let digest = MemoryDigest(low: 0x0102_0304_0506_0708, high: 0x1112_1314_1516_1718)
        return [
            ("hello-control", .hello(versions: 2...3, .control)),
            ("hello-data", .hello(versions: 2...3, .data(token: token, stream: 5))),
            ("hello-question", .hello(versions: 2...3, .question)),
            ("welcome", .welcome(version: 3)),
            ("offer-version-2", try offer(.shipped)),
            ("offer-version-2-rehearsal", try offer(.unknown, isRehearsal: true)),
            ("offer-version-2-kernel", try offer(.files(kernel: "/boot/vmlinux", initrd: nil))),
            (
                "offer-version-3-leased",
                try offer(.files(kernel: "/boot/vmlinux", initrd: "/boot/initrd"), isLeased: true)
            ),
            ("accepted", .accepted(token: token, ledgerWrite: .microseconds(800), kept: nil)),
            (
                "accepted-kept",
                .accepted(
                    token: token, ledgerWrite: .microseconds(800),
                    kept: KeptMemory(hashSeed: Sample.seed, pages: 262144))
            ),
            ("hashes", .hashes(firstPage: 4096, (0..<32).map { UInt8($0) })),
            ("alive", .alive(round: 3, remainingBytes: 1 << 40)),
            ("state", .state([1, 2, 3])),
            ("rehearse", .rehearse(state: [4, 5, 6])),
            ("rehearsed", .rehearsed(load: .microseconds(70))),
            ("verify", .verify(round: 4, digest: digest)),
            ("ready", .ready(digest: digest, load: .milliseconds(2))),
            ("go", .go(Epoch(8))),
            ("running", .running(Epoch(8), own: .milliseconds(1), resume: .microseconds(30))),
            (
                "question",
                .question(OwnershipQuestion(vm: vm, epoch: Epoch(8), migration: migration))
            ),
            (
                "overrule",
                .takeoverNotice(TakeoverNotice(vm: vm, epoch: Epoch(9), migration: migration))
            ),
            ("answer-taken", .answer(.taken(Epoch(8)))),
            ("answer-never-ran", .answer(.neverRan(Epoch(8)))),
            ("answer-overruled", .answer(.superseded(Epoch(9)))),
        ]
            + refusals.enumerated().map { index, code in
                let refusal = MigrationRefusal(
                    code, text: "no", details: index == 0 ? ["2", "3"] : [])
                return ("refused-\(index + 1)", .refused(refusal))
            }
    }

    @Test func `Peer messages have the bytes that they had`() throws {
        try check(
            "peer-messages.hex", Self.messages(), write: \.bytes,
            read: { bytes in
                let header = try PeerMessageHeader(Array(bytes.prefix(PeerMessageHeader.bytes)))
                let body = Array(bytes.dropFirst(PeerMessageHeader.bytes))
                #expect(header.bodyBytes == body.count)
                return try PeerMessage(kind: header.kind, body: body)
            })
    }

    @Test func `Ledger records have the bytes that they had`() throws {
        try check(
            "ledger-records.hex", Sample.ledgerRecords(),
            write: {
                var writer = ByteWriter()
                $0.writeBytes(to: &writer)
                return writer.bytes
            },
            read: {
                var reader = ByteReader($0)
                let record = try LedgerRecord(from: &reader)
                try reader.requireFullyRead()
                return record
            })
    }
}

@Suite("Golden messages of ferry-vmm")
struct GoldenVMMTests {
    private static let requests: [(name: String, value: VMMRequest)] = [
        ("attach", .attach), ("status", .status), ("pause", .pause(forHandover: false)),
        ("pause-handover", .pause(forHandover: true)), ("seal", .seal), ("resume", .resume),
        ("quit", .quit), ("reset", .reset), ("save-state", .saveState),
        ("load-state", .loadState(bytes: 12345)), ("save-to-file", .saveToFile),
        ("start-dirty-log", .startDirtyLog), ("fetch-dirty-log", .fetchDirtyLog),
        ("clear-dirty-log", .clearDirtyLog(firstPage: 64, pageCount: 512)),
        ("stop-dirty-log", .stopDirtyLog), ("throttle", .throttle(percent: 40)),
        ("console-input", .consoleInput([104, 105])),
        ("lease", .lease(until: BootInstant(nanoseconds: 1 << 60))),
    ]

    private static func replies() throws -> [(name: String, value: VMMReply)] {
        let exit = VMExit(reason: .tripleFault, detail: "at 0x10")
        let failed = VMMStatus(
            state: .failed, isSealed: true, cpuTime: .milliseconds(3), exit: exit)
        let info = VMMInfo(
            id: Sample.vm, processID: 4711, spec: try Sample.spec(),
            cpuFeatures: CPUFeatures(["sse2", "avx"]), status: failed)
        let codes: [VMMRefusal.Code] = [.badRequest, .wrongState, .systemFailure, .badState]
        return [
            ("attached", .attached(info)), ("status-failed", .status(failed)), ("done", .done),
            ("state", .state(bytes: 9)), ("dirty-pages", .dirtyPages(100)),
        ]
            + VMState.allCases.map { ("status-\($0.rawValue)", .status(VMMStatus(state: $0))) }
            + codes.enumerated().map { index, code in
                let refusal = VMMRefusal(code: code, part: "vcpu0/msrs", detail: "no")
                return ("refused-\(index + 1)", .refused(refusal))
            }
    }

    private static func open<Message>(
        _ frame: ArraySlice<UInt8>, _ make: (UInt16, ArraySlice<UInt8>) throws -> Message
    ) throws -> Message {
        var reader = ByteReader(frame)
        let header = try VMMFrameHeader(from: &reader)
        #expect(header.number == 0x0506_0708)
        let body = try reader.readBytes(count: header.bodyBytes, field: "body")
        try reader.requireFullyRead()
        return try make(header.kind, body)
    }

    @Test func `Requests to ferry-vmm have the bytes that they had`() throws {
        try check(
            "vmm-requests.hex", Self.requests, write: { $0.encodeFrame(number: 0x0506_0708) },
            read: { try Self.open($0, VMMRequest.init(kind:body:)) })
    }

    @Test func `Replies of ferry-vmm have the bytes that they had`() throws {
        try check(
            "vmm-replies.hex", Self.replies(), write: { $0.encodeFrame(number: 0x0506_0708) },
            read: { try Self.open($0, VMMReply.init(kind:body:)) })
    }
}
