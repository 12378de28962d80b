import Host
import Model
import Testing
import VMControl
import Wire

@Suite("The control socket's messages")
struct VMMMessageTests {
    static let everyRequest: [VMMRequest] = [
        .attach, .status, .pause(forHandover: true), .seal, .resume, .quit, .reset, .saveState,
        .loadState(bytes: 12345), .saveToFile, .startDirtyLog, .fetchDirtyLog,
        .clearDirtyLog(firstPage: 64, pageCount: 512), .stopDirtyLog, .throttle(percent: 40),
        .consoleInput([104, 105]), .lease(until: BootInstant(nanoseconds: 1 << 60)),
    ]

    static func everyReply() throws -> [VMMReply] {
        let status = VMMStatus(
            state: .failed, isSealed: true, cpuTime: .milliseconds(3),
            exit: VMExit(reason: .tripleFault, detail: "at 0x10"))
        let info = VMMInfo(
            id: VMID(high: 1, low: 2), processID: 77,
            spec: VMSpec(
                name: try VMName("web"), memory: .mebibytes(64), commandLine: "a=b",
                kernel: .unknown),
            cpuFeatures: CPUFeatures(["sse2", "avx"]), status: status)
        return [
            .attached(info), .status(VMMStatus(state: .running)), .done, .state(bytes: 9),
            .dirtyPages(100),
            .refused(VMMRefusal(code: .badState, part: "vcpu0/msrs", detail: "no")),
        ]
    }

    private func decode<Message>(
        _ frame: [UInt8], _ make: (UInt16, ArraySlice<UInt8>) throws -> Message
    ) throws -> Message {
        var reader = ByteReader(frame)
        let header = try VMMFrameHeader(from: &reader)
        #expect(header.number == 5)
        return try make(
            header.kind, try reader.readBytes(count: header.bodyBytes, field: "body"))
    }

    @Test("A frame has the bytes that the documentation names")
    func golden() {
        #expect(
            VMMRequest.pause(forHandover: true).encodeFrame(number: 5)
                == [1, 0, 0, 0, 3, 0, 1, 0, 5, 0, 0, 0, 1])
        #expect(
            VMMRequest.lease(until: BootInstant(nanoseconds: 258)).encodeFrame(number: 5)
                == [8, 0, 0, 0, 17, 0, 1, 0, 5, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0])
    }

    @Test("Requests read back", arguments: everyRequest)
    func requests(request: VMMRequest) throws {
        #expect(try decode(request.encodeFrame(number: 5), VMMRequest.init(kind:body:)) == request)
    }

    @Test("Replies read back")
    func replies() throws {
        for reply in try Self.everyReply() {
            #expect(try decode(reply.encodeFrame(number: 5), VMMReply.init(kind:body:)) == reply)
        }
    }

    @Test("Every truncation of a message is refused")
    func truncations() throws {
        for frame in try Self.everyReply().map({ $0.encodeFrame(number: 5) }) {
            let body = frame.dropFirst(VMMFrameHeader.bytes)
            let kind = UInt16(frame[4]) | UInt16(frame[5]) << 8
            for count in 0..<body.count {
                #expect(throws: WireError.self) {
                    try VMMReply(kind: kind, body: body.prefix(count))
                }
            }
        }
    }

    @Test("Every truncation of a request is refused", arguments: everyRequest)
    func truncatedRequests(request: VMMRequest) {
        let frame = request.encodeFrame(number: 5)
        let body = frame.dropFirst(VMMFrameHeader.bytes)
        let kind = UInt16(frame[4]) | UInt16(frame[5]) << 8
        for count in 0..<body.count {
            #expect(throws: WireError.self) {
                try VMMRequest(kind: kind, body: body.prefix(count))
            }
        }
    }

    @Test("Flipped bits are refused or read as another message, and never trap")
    func bitFlips() throws {
        let frames =
            try Self.everyReply().map { $0.encodeFrame(number: 5) }
            + Self.everyRequest.map { $0.encodeFrame(number: 5) }
        for frame in frames {
            for bit in 0..<(frame.count * 8) {
                var flipped = frame
                flipped[bit / 8] ^= 1 << (bit % 8)
                var reader = ByteReader(flipped)
                guard let header = try? VMMFrameHeader(from: &reader),
                    let body = try? reader.readBytes(count: header.bodyBytes, field: "body")
                else { continue }
                _ = try? VMMReply(kind: header.kind, body: body)
                _ = try? VMMRequest(kind: header.kind, body: body)
            }
        }
    }

    @Test("A frame longer than the limit, or of another version, is refused by its header")
    func header() {
        var tooLong = ByteReader([0, 0, 0x11, 0, 1, 0, 1, 0, 0, 0, 0, 0])
        #expect(throws: WireError.self) { try VMMFrameHeader(from: &tooLong) }
        var version = ByteReader([0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0])
        #expect(throws: WireError.invalid(field: "version", value: 2)) {
            try VMMFrameHeader(from: &version)
        }
    }
}
