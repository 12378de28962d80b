// The byte encoding of the messages in PeerMessage.swift. Decoding checks every length and throws; it never traps.

import Model
import Ownership
package import Wire

/// The first 8 bytes of a message.
package struct PeerMessageHeader: Hashable, Sendable {
    package static let bytes = 8

    package let kind: UInt16
    package let bodyBytes: Int

    /// Checks kind and size, so that the caller may allocate `bodyBytes`.
    package init(_ bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        let count: UInt32 = try reader.readInteger(field: "message")
        kind = try reader.readInteger(field: "kind")
        guard let known = Kind(rawValue: kind) else {
            throw .invalid(field: "kind", value: UInt64(kind))
        }
        let zero: UInt16 = try reader.readInteger(field: "reserved")
        guard zero == 0 else { throw .invalid(field: "reserved", value: UInt64(zero)) }
        try reader.requireFullyRead()
        let limit = known.carriesState ? Limits.stateBytesMax : Limits.bodyBytesMax
        guard count <= limit else {
            throw .tooLong(field: "message", count: Int(count), limit: limit)
        }
        bodyBytes = Int(count)
    }
}

private let magic = Array("FERRYMIG".utf8)

private enum Kind: UInt16 {
    case hello = 1
    case welcome, refused, offer, accepted, alive, state, verify, ready, go, running, question
    case answer, hashes, rehearse, rehearsed, overrule

    /// The body consists only of saved state.
    var carriesState: Bool { self == .state || self == .rehearse }
}

extension PeerMessage {
    /// Header and body.
    package var bytes: [UInt8] {
        let (kind, body) = encoded
        var message = ByteWriter(reserving: PeerMessageHeader.bytes + body.bytes.count)
        message.writeInteger(UInt32(body.bytes.count))
        message.writeInteger(kind.rawValue)
        message.writeInteger(UInt16(0))
        message.writeBytes(raw: body.bytes)
        return message.bytes
    }

    private var encoded: (Kind, ByteWriter) {
        var body = ByteWriter()
        switch self {
        case .hello(let versions, let purpose):
            body.writeBytes(raw: magic)
            body.writeInteger(versions.lowerBound)
            body.writeInteger(versions.upperBound)
            purpose.appendBytes(to: &body)
            return (.hello, body)
        case .welcome(let version):
            body.writeInteger(version)
            return (.welcome, body)
        case .refused(let refusal):
            refusal.appendBytes(to: &body)
            return (.refused, body)
        case .offer(let offer):
            offer.appendBytes(to: &body)
            return (.offer, body)
        case .accepted(let token, let ledgerWrite, let kept):
            body.writeBytes(raw: token)
            body.writeDuration(ledgerWrite)
            body.writeOptional(value: kept) {
                $0.writeInteger($1.hashSeed)
                $0.writeInteger($1.pages)
            }
            return (.accepted, body)
        case .hashes(let firstPage, let bytes):
            body.writeInteger(firstPage)
            body.writeInteger(UInt32(bytes.count / hashBytes))
            body.writeBytes(raw: bytes)
            return (.hashes, body)
        case .alive(let round, let remainingBytes):
            body.writeInteger(UInt32(round))
            body.writeInteger(remainingBytes)
            return (.alive, body)
        case .state(let bytes):
            body.writeBytes(raw: bytes)
            return (.state, body)
        case .rehearse(let state):
            body.writeBytes(raw: state)
            return (.rehearse, body)
        case .rehearsed(let load):
            body.writeDuration(load)
            return (.rehearsed, body)
        case .verify(let round, let digest):
            body.writeInteger(UInt32(round))
            body.writeMemoryDigest(digest)
            return (.verify, body)
        case .ready(let digest, let load):
            body.writeMemoryDigest(digest)
            body.writeDuration(load)
            return (.ready, body)
        case .go(let epoch):
            body.writeInteger(epoch.number)
            return (.go, body)
        case .running(let epoch, let own, let resume):
            body.writeInteger(epoch.number)
            body.writeDuration(own)
            body.writeDuration(resume)
            return (.running, body)
        case .question(let question):
            body.writeIdentifier(question.vm)
            body.writeInteger(question.epoch.number)
            body.writeIdentifier(question.migration)
            return (.question, body)
        case .takeoverNotice(let notice):
            body.writeIdentifier(notice.vm)
            body.writeInteger(notice.epoch.number)
            body.writeIdentifier(notice.migration)
            return (.overrule, body)
        case .answer(let answer):
            answer.appendBytes(to: &body)
            return (.answer, body)
        }
    }

    /// - Parameter body: exactly the number of bytes that the header states.
    package init(kind: UInt16, body: [UInt8]) throws(WireError) {
        guard let known = Kind(rawValue: kind) else {
            throw .invalid(field: "kind", value: UInt64(kind))
        }
        if known.carriesState {
            self = known == .state ? .state(body) : .rehearse(state: body)
            return
        }
        var reader = ByteReader(body)
        self = try Self.readMessage(of: known, from: &reader)
        try reader.requireFullyRead()
    }

    private static func readMessage(
        of kind: Kind, from reader: inout ByteReader
    ) throws(WireError) -> PeerMessage {
        switch kind {
        case .hello: return try readHello(from: &reader)
        case .welcome: return .welcome(version: try reader.readInteger(field: "version"))
        case .refused: return .refused(try MigrationRefusal(from: &reader))
        case .offer: return .offer(try MigrationOffer(from: &reader))
        case .accepted:
            return .accepted(
                token: try reader.readStreamToken(), ledgerWrite: try reader.readDuration(),
                kept: try reader.readOptional(field: "kept memory") { (reader) throws(WireError) in
                    KeptMemory(
                        hashSeed: try reader.readInteger(field: "hash seed"),
                        pages: try reader.readInteger(field: "pages"))
                })
        case .hashes: return try readHashes(from: &reader)
        case .alive:
            return .alive(
                round: try reader.readRoundNumber(),
                remainingBytes: try reader.readInteger(field: "remaining bytes"))
        case .state: return .state([])
        case .rehearse: return .rehearse(state: [])
        case .rehearsed: return .rehearsed(load: try reader.readDuration())
        case .verify:
            return .verify(
                round: try reader.readRoundNumber(), digest: try reader.readMemoryDigest())
        case .ready:
            return .ready(digest: try reader.readMemoryDigest(), load: try reader.readDuration())
        case .go: return .go(try reader.readEpoch())
        case .running:
            return .running(
                try reader.readEpoch(), own: try reader.readDuration(),
                resume: try reader.readDuration())
        case .question:
            return .question(
                OwnershipQuestion(
                    vm: try reader.readIdentifier(), epoch: try reader.readEpoch(),
                    migration: try reader.readIdentifier()))
        case .overrule:
            return .takeoverNotice(
                TakeoverNotice(
                    vm: try reader.readIdentifier(), epoch: try reader.readEpoch(),
                    migration: try reader.readIdentifier()))
        case .answer: return .answer(try OwnershipAnswer(from: &reader))
        }
    }

    private static func readHashes(
        from reader: inout ByteReader
    ) throws(WireError) -> PeerMessage {
        let firstPage: UInt64 = try reader.readInteger(field: "first page")
        let count = try reader.readCount(limit: Limits.hashesMax, field: "hashes")
        return .hashes(
            firstPage: firstPage,
            Array(try reader.readBytes(count: count * hashBytes, field: "hashes")))
    }

    private static func readHello(from reader: inout ByteReader) throws(WireError) -> PeerMessage {
        guard Array(try reader.readBytes(count: magic.count, field: "magic")) == magic else {
            throw .invalidText(field: "magic")
        }
        let low: UInt16 = try reader.readInteger(field: "version min")
        let high: UInt16 = try reader.readInteger(field: "version max")
        guard low <= high else { throw .invalid(field: "version max", value: UInt64(high)) }
        return .hello(versions: low...high, try ConnectionPurpose(from: &reader))
    }
}

extension ConnectionPurpose {
    fileprivate func appendBytes(to writer: inout ByteWriter) {
        switch self {
        case .control: writer.writeInteger(UInt8(1))
        case .data(let token, let stream):
            writer.writeInteger(UInt8(2))
            writer.writeBytes(raw: token)
            writer.writeInteger(UInt16(stream))
        case .question: writer.writeInteger(UInt8(3))
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        let purpose: UInt8 = try reader.readInteger(field: "purpose")
        switch purpose {
        case 1: self = .control
        case 2:
            let token = try reader.readStreamToken()
            let stream: UInt16 = try reader.readInteger(field: "stream")
            guard stream < Limits.streamsMax else {
                throw .invalid(field: "stream", value: UInt64(stream))
            }
            self = .data(token: token, stream: Int(stream))
        case 3: self = .question
        default: throw .invalid(field: "purpose", value: UInt64(purpose))
        }
    }
}

extension OwnershipAnswer {
    fileprivate func appendBytes(to writer: inout ByteWriter) {
        switch self {
        case .taken(let epoch):
            writer.writeInteger(UInt8(1))
            writer.writeInteger(epoch.number)
        case .neverRan(let epoch):
            writer.writeInteger(UInt8(2))
            writer.writeInteger(epoch.number)
        case .superseded(let epoch):
            writer.writeInteger(UInt8(3))
            writer.writeInteger(epoch.number)
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        let kind: UInt8 = try reader.readInteger(field: "answer")
        let epoch = try reader.readEpoch()
        switch kind {
        case 1: self = .taken(epoch)
        case 2: self = .neverRan(epoch)
        case 3: self = .superseded(epoch)
        default: throw .invalid(field: "answer", value: UInt64(kind))
        }
    }
}
