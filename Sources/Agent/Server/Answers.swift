// Answers of the API: JSON, problems, and the reading of requests.

import API
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import Model
import NIOCore

typealias APILimits = API.Limits

extension Response {
    static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok,
        mediaType: String = "application/json"
    ) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = try encoder.encode(value) + [UInt8(ascii: "\n")]
        return Response(
            status: status, headers: [.contentType: mediaType],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    static func problem(_ problem: Problem) throws -> Response {
        try json(
            problem, status: HTTPResponse.Status(code: problem.status),
            mediaType: Problem.mediaType)
    }
}

extension Request {
    /// The body, which must not be longer than the limit.
    func bytes(limit: Int) async throws -> [UInt8] {
        Array(try await body.collect(upTo: limit).readableBytesView)
    }

    /// The body as JSON. A body that is absent counts as `{}` where `optional` is set.
    func decode<Value: Decodable>(
        _ type: Value.Type, optional: Bool = false
    ) async throws -> Value {
        var bytes = try await bytes(limit: APILimits.bodyBytesMax)
        if bytes.isEmpty, optional { bytes = Array("{}".utf8) }
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch let error
            as DecodingError
        {
            throw Problem(.badRequest, "the body is not what this path takes: \(error.sentence)")
        }
    }
}

extension DecodingError {
    /// Where and what, in a few words.
    fileprivate var sentence: String {
        func place(_ path: [any CodingKey], _ last: String? = nil) -> String {
            let words = path.map(\.stringValue) + (last.map { [$0] } ?? [])
            return words.isEmpty ? "the whole" : "'\(words.joined(separator: "."))'"
        }
        switch self {
        case .keyNotFound(let key, let context):
            return "\(place(context.codingPath, key.stringValue)) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .dataCorrupted(let context):
            return "\(place(context.codingPath)): \(underlying(context))"
        @unknown default: return "it cannot be read"
        }
    }

    private func underlying(_ context: Context) -> String {
        if let name = context.underlyingError as? NameError { return "\(name)" }
        return context.debugDescription
    }
}

/// Turns what handlers throw into problems. An error that is not foreseen is logged, and told without detail.
struct Problems: RouterMiddleware {
    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do { return try await next(request, context) } catch let problem as Problem {
            return try .problem(problem)
        } catch let error as NameError {
            return try .problem(Problem(.badRequest, "\(error)"))
        } catch let error as any HTTPResponseError {
            return try .problem(Problem(error, of: request))
        } catch {
            context.logger.error(
                "request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return try .problem(Problem(.internalError, "see the agent's log"))
        }
    }
}

extension Problem {
    /// What Hummingbird itself refuses.
    fileprivate init(_ error: any HTTPResponseError, of request: Request) {
        switch error.status {
        case .notFound:
            self.init(
                .notFound,
                "there is no \(request.method) \(request.uri.path.prefix(200)) in this API")
        case .contentTooLarge:
            self.init(.bodyTooLarge, "a body may have \(APILimits.bodyBytesMax) bytes")
        default: self.init(.badRequest, "\(error)")
        }
    }
}

/// One line a request: who, what, how it ended. Behind `Authorization`, so that the who is known, and before
/// another `Problems`, so that the end is. What changes nothing, and every key typed at a console, is logged for
/// debugging only.
struct RequestLog: RouterMiddleware {
    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        context.logger.log(
            level: isWorthALine(request) ? .info : .debug, "request",
            metadata: [
                "who": "\(context.identity.map { "\($0)" } ?? "nobody")",
                "method": "\(request.method)", "path": "\(request.uri.path)",
                "status": "\(response.status.code)",
            ])
        return response
    }

    private func isWorthALine(_ request: Request) -> Bool {
        request.method != .get && !request.uri.path.hasSuffix("/console")
    }
}
