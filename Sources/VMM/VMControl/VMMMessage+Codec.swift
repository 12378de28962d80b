// How the messages of VMMMessage.swift look as bytes. Reading bounds every length and throws; it never traps.

import Host
import Model
package import Wire

/// The first 12 bytes of a frame.
package struct VMMFrameHeader: Hashable, Sendable {
    package static let bytes = 12

    package var bodyBytes: Int
    package var kind: UInt16
    package var number: UInt32

    package init(bodyBytes: Int, kind: UInt16, number: UInt32) {
        self.bodyBytes = bodyBytes
        self.kind = kind
        self.number = number
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        bodyBytes = try reader.readCount(limit: Limits.frameBytesMax, field: "frame")
        kind = try reader.readInteger(field: "kind")
        let version: UInt16 = try reader.readInteger(field: "version")
        guard version == vmControlVersion else {
            throw .invalid(field: "version", value: UInt64(version))
        }
        number = try reader.readInteger(field: "number")
    }

    package func writeHeader(to writer: inout ByteWriter) {
        writer.writeInteger(UInt32(bodyBytes))
        writer.writeInteger(kind)
        writer.writeInteger(vmControlVersion)
        writer.writeInteger(number)
    }
}

extension VMMRequest {
    /// The whole frame.
    package func encodeFrame(number: UInt32) -> [UInt8] {
        let (kind, body) = encoded
        return makeFrame(kind: kind, number: number, body: body)
    }

    private var encoded: (kind: UInt16, body: ByteWriter) {
        var body = ByteWriter()
        switch self {
        case .attach: return (1, body)
        case .status: return (2, body)
        case .pause(let forHandover):
            body.writeBool(forHandover)
            return (3, body)
        case .seal: return (4, body)
        case .resume: return (5, body)
        case .quit: return (6, body)
        case .reset: return (7, body)
        case .saveState: return (8, body)
        case .loadState(let bytes):
            body.writeInteger(UInt64(bytes))
            return (9, body)
        case .saveToFile: return (10, body)
        case .startDirtyLog: return (11, body)
        case .fetchDirtyLog: return (12, body)
        case .clearDirtyLog(let firstPage, let pageCount):
            body.writeInteger(UInt64(firstPage))
            body.writeInteger(UInt64(pageCount))
            return (13, body)
        case .stopDirtyLog: return (14, body)
        case .throttle(let percent):
            body.writeInteger(UInt8(clamping: percent))
            return (15, body)
        case .consoleInput(let bytes):
            body.writeBytes(counted: bytes)
            return (16, body)
        case .lease(let until):
            body.writeInteger(until.nanoseconds)
            return (17, body)
        }
    }

    package init(kind: UInt16, body: ArraySlice<UInt8>) throws(WireError) {
        var reader = ByteReader(body)
        switch kind {
        case 1: self = .attach
        case 2: self = .status
        case 3: self = .pause(forHandover: try reader.readBool(field: "forHandover"))
        case 4: self = .seal
        case 5: self = .resume
        case 6: self = .quit
        case 7: self = .reset
        case 8: self = .saveState
        case 9:
            self = .loadState(
                bytes: try reader.readSize(limit: Limits.stateBytesMax, field: "state"))
        case 10: self = .saveToFile
        case 11: self = .startDirtyLog
        case 12: self = .fetchDirtyLog
        case 13:
            self = .clearDirtyLog(
                firstPage: try reader.readSize(field: "firstPage"),
                pageCount: try reader.readSize(field: "pageCount"))
        case 14: self = .stopDirtyLog
        case 15:
            let percent: UInt8 = try reader.readInteger(field: "percent")
            guard percent <= 99 else { throw .invalid(field: "percent", value: UInt64(percent)) }
            self = .throttle(percent: Int(percent))
        case 16:
            self = .consoleInput(
                try reader.readCountedBytes(limit: Limits.textBytesMax, field: "input"))
        case 17:
            self = .lease(until: BootInstant(nanoseconds: try reader.readInteger(field: "lease")))
        default: throw .invalid(field: "kind of request", value: UInt64(kind))
        }
        try reader.requireFullyRead()
    }
}

extension VMMReply {
    /// The whole frame.
    package func encodeFrame(number: UInt32) -> [UInt8] {
        let (kind, body) = encoded
        return makeFrame(kind: kind, number: number, body: body)
    }

    private var encoded: (kind: UInt16, body: ByteWriter) {
        var body = ByteWriter()
        switch self {
        case .attached(let info):
            info.writeInfo(to: &body)
            return (0x8001, body)
        case .status(let status):
            status.writeStatus(to: &body)
            return (0x8002, body)
        case .done: return (0x8003, body)
        case .state(let bytes):
            body.writeInteger(UInt64(bytes))
            return (0x8004, body)
        case .dirtyPages(let count):
            body.writeInteger(UInt64(count))
            return (0x8005, body)
        case .refused(let refusal):
            body.writeInteger(refusal.code.rawValue)
            body.writeText(clippedText(from: refusal.part))
            body.writeText(clippedText(from: refusal.detail))
            return (0x8006, body)
        }
    }

    package init(kind: UInt16, body: ArraySlice<UInt8>) throws(WireError) {
        var reader = ByteReader(body)
        switch kind {
        case 0x8001: self = .attached(try VMMInfo(from: &reader))
        case 0x8002: self = .status(try VMMStatus(from: &reader))
        case 0x8003: self = .done
        case 0x8004:
            self = .state(bytes: try reader.readSize(limit: Limits.stateBytesMax, field: "state"))
        case 0x8005: self = .dirtyPages(try reader.readSize(field: "dirty pages"))
        case 0x8006:
            let code: UInt16 = try reader.readInteger(field: "code")
            guard let code = VMMRefusal.Code(rawValue: code) else {
                throw .invalid(field: "code", value: UInt64(code))
            }
            self = .refused(
                VMMRefusal(
                    code: code,
                    part: try reader.readText(limit: Limits.textBytesMax, field: "part"),
                    detail: try reader.readText(limit: Limits.textBytesMax, field: "detail")))
        default: throw .invalid(field: "kind of reply", value: UInt64(kind))
        }
        try reader.requireFullyRead()
    }
}

extension VMMInfo {
    fileprivate func writeInfo(to writer: inout ByteWriter) {
        writer.writeInteger(id.high)
        writer.writeInteger(id.low)
        writer.writeInteger(processID)
        writer.writeVMSpec(spec)
        writer.writeList(of: cpuFeatures.names) { $0.writeText($1) }
        status.writeStatus(to: &writer)
    }

    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        let id = VMID(
            high: try reader.readInteger(field: "id"), low: try reader.readInteger(field: "id"))
        let processID: Int32 = try reader.readInteger(field: "process")
        let spec = try reader.readVMSpec()
        let features = try reader.readList(limit: 1024, elementBytesMin: 4, field: "features") {
            (reader) throws(WireError) in try reader.readText(limit: 64, field: "feature")
        }
        self.init(
            id: id, processID: processID, spec: spec, cpuFeatures: CPUFeatures(features),
            status: try VMMStatus(from: &reader))
    }
}

extension VMMStatus {
    fileprivate func writeStatus(to writer: inout ByteWriter) {
        writer.writeText(state.rawValue)
        writer.writeBool(isSealed)
        writer.writeInteger(cpuTime.wholeNanoseconds)
        writer.writeOptional(value: exit) {
            $0.writeText($1.reason.rawValue)
            $0.writeText(clippedText(from: $1.detail))
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        guard let state = VMState(rawValue: try reader.readText(limit: 32, field: "state")) else {
            throw .invalidText(field: "state")
        }
        let isSealed = try reader.readBool(field: "isSealed")
        let cpuTime = Duration.nanoseconds(try reader.readInteger(as: Int64.self, field: "cpuTime"))
        let exit = try reader.readOptional(field: "exit") { (reader) throws(WireError) -> VMExit in
            let text = try reader.readText(limit: 32, field: "exit reason")
            guard let reason = VMExit.Reason(rawValue: text) else {
                throw .invalidText(field: "exit reason")
            }
            let detail = try reader.readText(limit: Limits.textBytesMax, field: "exit detail")
            return VMExit(reason: reason, detail: detail)
        }
        self.init(state: state, isSealed: isSealed, cpuTime: cpuTime, exit: exit)
    }
}

extension ByteReader {
    /// A 64-bit size that fits an Int and a limit.
    fileprivate mutating func readSize(limit: Int = .max, field: String) throws(WireError) -> Int {
        let value: UInt64 = try readInteger(field: field)
        guard let size = Int(exactly: value), size <= limit else {
            throw .tooLong(field: field, count: Int(clamping: value), limit: limit)
        }
        return size
    }
}

/// A text cut to what a reader accepts.
private func clippedText(from text: String) -> String {
    text.utf8.count <= Limits.textBytesMax ? text : String(text.prefix(Limits.textBytesMax / 4))
}

private func makeFrame(kind: UInt16, number: UInt32, body: ByteWriter) -> [UInt8] {
    var frame = ByteWriter(reserving: VMMFrameHeader.bytes + body.bytes.count)
    VMMFrameHeader(bodyBytes: body.bytes.count, kind: kind, number: number).writeHeader(to: &frame)
    frame.writeBytes(raw: body.bytes)
    return frame.bytes
}
