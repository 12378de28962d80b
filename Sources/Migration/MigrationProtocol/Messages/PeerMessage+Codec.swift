// How the messages of PeerMessage.swift look as bytes. Reading bounds every length and throws; it never traps.

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
        let count: UInt32 = try reader.integer(field: "message")
        kind = try reader.integer(field: "kind")
        guard let known = Kind(rawValue: kind) else {
            throw .invalid(field: "kind", value: UInt64(kind))
        }
        let zero: UInt16 = try reader.integer(field: "reserved")
        guard zero == 0 else { throw .invalid(field: "reserved", value: UInt64(zero)) }
        try reader.finish()
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

    /// The body is saved state and nothing else.
    var carriesState: Bool { self == .state || self == .rehearse }
}

extension PeerMessage {
    /// Header and body.
    package var bytes: [UInt8] {
        let (kind, body) = encoded
        var message = ByteWriter(reserving: PeerMessageHeader.bytes + body.bytes.count)
        message.write(UInt32(body.bytes.count))
        message.write(kind.rawValue)
        message.write(UInt16(0))
        message.write(raw: body.bytes)
        return message.bytes
    }

    private var encoded: (Kind, ByteWriter) {
        var body = ByteWriter()
        switch self {
        case .hello(let versions, let purpose):
            body.write(raw: magic)
            body.write(versions.lowerBound)
            body.write(versions.upperBound)
            purpose.write(to: &body)
            return (.hello, body)
        case .welcome(let version):
            body.write(version)
            return (.welcome, body)
        case .refused(let refusal):
            refusal.write(to: &body)
            return (.refused, body)
        case .offer(let offer):
            offer.write(to: &body)
            return (.offer, body)
        case .accepted(let token, let ledgerWrite, let kept):
            body.write(raw: token)
            body.write(ledgerWrite)
            body.write(optional: kept) {
                $0.write($1.hashSeed)
                $0.write($1.pages)
            }
            return (.accepted, body)
        case .hashes(let firstPage, let bytes):
            body.write(firstPage)
            body.write(UInt32(bytes.count / hashBytes))
            body.write(raw: bytes)
            return (.hashes, body)
        case .alive(let round, let remainingBytes):
            body.write(UInt32(round))
            body.write(remainingBytes)
            return (.alive, body)
        case .state(let bytes):
            body.write(raw: bytes)
            return (.state, body)
        case .rehearse(let state):
            body.write(raw: state)
            return (.rehearse, body)
        case .rehearsed(let load):
            body.write(load)
            return (.rehearsed, body)
        case .verify(let round, let digest):
            body.write(UInt32(round))
            body.write(digest)
            return (.verify, body)
        case .ready(let digest, let load):
            body.write(digest)
            body.write(load)
            return (.ready, body)
        case .go(let epoch):
            body.write(epoch.number)
            return (.go, body)
        case .running(let epoch, let own, let resume):
            body.write(epoch.number)
            body.write(own)
            body.write(resume)
            return (.running, body)
        case .question(let question):
            body.write(question.vm)
            body.write(question.epoch.number)
            body.write(question.migration)
            return (.question, body)
        case .takeoverNotice(let notice):
            body.write(notice.vm)
            body.write(notice.epoch.number)
            body.write(notice.migration)
            return (.overrule, body)
        case .answer(let answer):
            answer.write(to: &body)
            return (.answer, body)
        }
    }

    /// - Parameter body: as many bytes as the header says.
    package init(kind: UInt16, body: [UInt8]) throws(WireError) {
        guard let known = Kind(rawValue: kind) else {
            throw .invalid(field: "kind", value: UInt64(kind))
        }
        if known.carriesState {
            self = known == .state ? .state(body) : .rehearse(state: body)
            return
        }
        var reader = ByteReader(body)
        self = try Self.read(known, from: &reader)
        try reader.finish()
    }

    private static func read(
        _ kind: Kind, from reader: inout ByteReader
    ) throws(WireError) -> PeerMessage {
        switch kind {
        case .hello: return try readHello(from: &reader)
        case .welcome: return .welcome(version: try reader.integer(field: "version"))
        case .refused: return .refused(try MigrationRefusal(from: &reader))
        case .offer: return .offer(try MigrationOffer(from: &reader))
        case .accepted:
            return .accepted(
                token: try reader.token(), ledgerWrite: try reader.duration(),
                kept: try reader.optional(field: "kept memory") { (reader) throws(WireError) in
                    KeptMemory(
                        hashSeed: try reader.integer(field: "hash seed"),
                        pages: try reader.integer(field: "pages"))
                })
        case .hashes: return try readHashes(from: &reader)
        case .alive:
            return .alive(
                round: try reader.round(),
                remainingBytes: try reader.integer(field: "remaining bytes"))
        case .state: return .state([])
        case .rehearse: return .rehearse(state: [])
        case .rehearsed: return .rehearsed(load: try reader.duration())
        case .verify: return .verify(round: try reader.round(), digest: try reader.digest())
        case .ready: return .ready(digest: try reader.digest(), load: try reader.duration())
        case .go: return .go(try reader.epoch())
        case .running:
            return .running(
                try reader.epoch(), own: try reader.duration(), resume: try reader.duration())
        case .question:
            return .question(
                OwnershipQuestion(
                    vm: try reader.identifier(), epoch: try reader.epoch(),
                    migration: try reader.identifier()))
        case .overrule:
            return .takeoverNotice(
                TakeoverNotice(
                    vm: try reader.identifier(), epoch: try reader.epoch(),
                    migration: try reader.identifier()))
        case .answer: return .answer(try OwnershipAnswer(from: &reader))
        }
    }

    private static func readHashes(
        from reader: inout ByteReader
    ) throws(WireError) -> PeerMessage {
        let firstPage: UInt64 = try reader.integer(field: "first page")
        let count = try reader.count(limit: Limits.hashesMax, field: "hashes")
        return .hashes(
            firstPage: firstPage, Array(try reader.raw(count * hashBytes, field: "hashes")))
    }

    private static func readHello(from reader: inout ByteReader) throws(WireError) -> PeerMessage {
        guard Array(try reader.raw(magic.count, field: "magic")) == magic else {
            throw .invalidText(field: "magic")
        }
        let low: UInt16 = try reader.integer(field: "version min")
        let high: UInt16 = try reader.integer(field: "version max")
        guard low <= high else { throw .invalid(field: "version max", value: UInt64(high)) }
        return .hello(versions: low...high, try ConnectionPurpose(from: &reader))
    }
}

extension ConnectionPurpose {
    fileprivate func write(to writer: inout ByteWriter) {
        switch self {
        case .control: writer.write(UInt8(1))
        case .data(let token, let stream):
            writer.write(UInt8(2))
            writer.write(raw: token)
            writer.write(UInt16(stream))
        case .question: writer.write(UInt8(3))
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        let purpose: UInt8 = try reader.integer(field: "purpose")
        switch purpose {
        case 1: self = .control
        case 2:
            let token = try reader.token()
            let stream: UInt16 = try reader.integer(field: "stream")
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
    fileprivate func write(to writer: inout ByteWriter) {
        switch self {
        case .taken(let epoch):
            writer.write(UInt8(1))
            writer.write(epoch.number)
        case .neverRan(let epoch):
            writer.write(UInt8(2))
            writer.write(epoch.number)
        case .superseded(let epoch):
            writer.write(UInt8(3))
            writer.write(epoch.number)
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        let kind: UInt8 = try reader.integer(field: "answer")
        let epoch = try reader.epoch()
        switch kind {
        case 1: self = .taken(epoch)
        case 2: self = .neverRan(epoch)
        case 3: self = .superseded(epoch)
        default: throw .invalid(field: "answer", value: UInt64(kind))
        }
    }
}
