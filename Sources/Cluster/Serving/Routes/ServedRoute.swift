// A route with the handler that serves it.

package import API
import FoundationEssentials
package import HTTPTypes
package import Hummingbird
import Model
import NIOCore

/// What a handler gets: the request, read as its route describes it.
package struct RouteCall<Path: Sendable, Query: Sendable, Body: Sendable>: Sendable {
    package let path: Path
    package let query: Query
    package let body: Body
    package let request: Request
    package let context: APIContext
}

/// An answer with more than a message.
package struct RouteReply<Answer: Sendable>: Sendable {
    let answer: Answer
    /// Nil for the first status that the route describes.
    let status: Int?
    let headers: HTTPFields

    package init(_ answer: Answer, status: Int? = nil, headers: HTTPFields = [:]) {
        self.answer = answer
        self.status = status
        self.headers = headers
    }
}

package struct ServedRoute: Sendable {
    package let description: RouteDescription
    private let respond: @Sendable (Request, APIContext, RouteRules) async throws -> Response

    fileprivate init(
        _ description: RouteDescription,
        respond: @escaping @Sendable (Request, APIContext, RouteRules) async throws -> Response
    ) {
        self.description = description
        self.respond = respond
    }

    package func makeResponse(
        to request: Request, in context: APIContext, by rules: RouteRules
    ) async throws -> Response {
        try await respond(request, context, rules)
    }
}

/// How strictly a server reads requests.
package struct RouteRules: Sendable {
    /// The description of the server's API.
    package let document: OpenAPIDocument
    /// Query parameters that are not known are refused, not ignored.
    let refusesUnknownQuery: Bool

    package init(document: OpenAPIDocument, refusesUnknownQuery: Bool) {
        self.document = document
        self.refusesUnknownQuery = refusesUnknownQuery
    }
}

extension Route {
    package typealias Call = RouteCall<Path, Query, Body>

    /// Served by a handler that returns the answer; its status is the first that the route describes.
    package func serveAnswer(
        handler: @escaping @Sendable (Call) async throws -> Answer
    ) -> ServedRoute {
        serveReply { RouteReply(try await handler($0)) }
    }

    /// Served by a handler that chooses the status or adds headers.
    package func serveReply(
        handler: @escaping @Sendable (Call) async throws -> RouteReply<Answer>
    ) -> ServedRoute {
        serveRawResponse { call in try description.makeResponse(from: await handler(call)) }
    }

    /// Served by a handler that makes the whole response: bytes, text, a stream.
    package func serveRawResponse(
        handler: @escaping @Sendable (Call) async throws -> Response
    ) -> ServedRoute {
        ServedRoute(description) { request, context, rules in
            let reader = RouteReader(
                request: request, context: context, refusesUnknown: rules.refusesUnknownQuery)
            let query: Query = try reader.readQuery()
            return try await handler(
                Call(
                    path: reader.readPathParameter(of: description), query: query,
                    body: request.readRouteBody(of: description, as: Body.self, by: rules),
                    request: request, context: context))
        }
    }
}

extension Route where Answer == NoContent {
    /// Served by a handler that returns nothing.
    package func serveNoContent(
        handler: @escaping @Sendable (Call) async throws -> Void
    ) -> ServedRoute {
        serveRawResponse { call in
            try await handler(call)
            return Response(status: .noContent)
        }
    }
}

extension RouteDescription {
    fileprivate func makeResponse<Answer: Encodable>(
        from reply: RouteReply<Answer>
    ) throws -> Response {
        let status = reply.status ?? answers[0].status
        var headers = reply.headers
        if let revisioned = reply.answer as? any Revisioned,
            answers.contains(where: { $0.status == status && $0.hasETag })
        {
            headers[.eTag] = "\"\(revisioned.revision)\""
        }
        return try .jsonResponse(
            for: reply.answer, status: HTTPResponse.Status(code: status), headers: headers)
    }
}

extension Request {
    fileprivate func readRouteBody<Body: Decodable>(
        of route: RouteDescription, as type: Body.Type, by rules: RouteRules
    ) async throws -> Body {
        if let absent = NoContent() as? Body { return absent }
        guard case .json(_, let isOptional, let bytesMax) = route.body else {
            fatalError("route \(route.id) has a type of body, and does not describe it")
        }
        let bytes = try await readBodyBytes(limit: bytesMax)
        let value: Body = try decodeBody(from: bytes, optional: isOptional)
        guard !bytes.isEmpty, route.refusesUnknownProperties else { return value }
        let body = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
        if let property = rules.document.unknownProperty(in: body, of: type) {
            throw Problem(
                .badRequest,
                detail:
                    "the body is not what this path takes: '\(property.prefix(100))' is not known here"
            )
        }
        return value
    }
}
