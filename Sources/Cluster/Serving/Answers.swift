// Answers of the API: JSON, problems, streams; and the reading of requests.

package import API
import FoundationEssentials
package import HTTPTypes
package import Hummingbird
import Model
import NIOCore
import ServiceLifecycle

extension Response {
    package static func jsonResponse(
        for value: some Encodable, status: HTTPResponse.Status = .ok,
        mediaType: String = "application/json", headers: HTTPFields = [:]
    ) throws -> Response {
        var headers = headers
        headers[.contentType] = mediaType
        return Response(
            status: status, headers: headers,
            body: ResponseBody(
                byteBuffer: ByteBuffer(
                    bytes: try JSONText.encodedBytes(of: value) + [UInt8(ascii: "\n")])))
    }

    package static func problemResponse(for problem: Problem, headers: HTTPFields = [:]) throws
        -> Response
    {
        try jsonResponse(
            for: problem, status: HTTPResponse.Status(code: problem.status),
            mediaType: Problem.mediaType, headers: headers)
    }
}

extension Response {
    /// Text or bytes as they are.
    package static func rawResponse(bytes: [UInt8], mediaType: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: mediaType],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

/// JSON as this API writes it.
package enum JSONText {
    package static func encodedBytes(of value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }
}

extension Request {
    /// The body, which must not be longer than the limit.
    package func readBodyBytes(limit: Int) async throws -> [UInt8] {
        do {
            return Array(try await body.collect(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem(.bodyTooLarge, detail: "a body may have \(limit) bytes here")
        }
    }

    /// The body as JSON. A body that is absent counts as `{}` where `optional` is set.
    package func decodeBody<Value: Decodable>(
        as type: Value.Type, optional: Bool = false, limit: Int = APILimits.bodyBytesMax
    ) async throws -> Value {
        try decodeBody(from: await readBodyBytes(limit: limit), optional: optional)
    }

    /// The same of a body that was read already.
    package func decodeBody<Value: Decodable>(
        from bytes: [UInt8], optional: Bool = false
    ) throws -> Value {
        let bytes = bytes.isEmpty && optional ? Array("{}".utf8) : bytes
        do { return try JSONDecoder().decode(Value.self, from: Data(bytes)) } catch let error
            as DecodingError
        {
            throw Problem(
                .badRequest, detail: "the body is not what this path takes: \(error.sentence)")
        }
    }

    /// An answer that goes on until its writer ends it. `stop` is called when the client goes and when the server
    /// shuts down; the writer then returns soon. The connection ends with it, and says so beforehand: a client
    /// must not send its next request there.
    package func streamResponse(
        mediaType: String, stop: @escaping @Sendable () -> Void,
        write: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void
    ) -> Response {
        let body = ResponseBody { writer in
            try await withGracefulShutdownHandler {
                try await self.body.consumeWithInboundCloseHandler { _ in
                    try await write(&writer)
                } onInboundClosed: {
                    stop()
                }
            } onGracefulShutdown: {
                stop()
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: mediaType, .connection: "close"], body: body)
    }
}

extension DecodingError {
    /// Where and what, in a few words.
    fileprivate var sentence: String {
        func fieldPath(in path: [any CodingKey], last: String? = nil) -> String {
            let words = path.map(\.stringValue) + (last.map { [$0] } ?? [])
            return words.isEmpty ? "the whole" : "'\(words.joined(separator: "."))'"
        }
        switch self {
        case .keyNotFound(let key, let context):
            return "\(fieldPath(in: context.codingPath, last: key.stringValue)) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .dataCorrupted(let context):
            return "\(fieldPath(in: context.codingPath)): \(underlyingReason(in: context))"
        @unknown default: return "it cannot be read"
        }
    }

    private func underlyingReason(in context: Context) -> String {
        if let name = context.underlyingError as? NameError { return "\(name)" }
        return context.debugDescription
    }
}
