// One operation of an API, described once: the server registers it, clients call it, the document shows it.
//
//   AgentRoutes, ControllerRoutes ──▶ server: reads the request as described, and answers as described
//                                 ──▶ client: builds method, path, query, body; reads the answer
//                                 ──▶ openapi.json: paths, parameters, bodies, answers, errors

/// An operation with the types of its path parameter, its query, its body and its answer.
package struct Route<
    Path: PathParameter, Query: RouteQuery, Body: Codable & Sendable, Answer: Codable & Sendable
>: Sendable {
    package private(set) var description: RouteDescription

    /// - Parameters:
    ///   - path: with the parameter in braces: "/v1/hosts/{name}".
    ///   - id: the name of the operation in the document.
    ///   - answer: the usual success.
    ///   - errors: of this operation; those of every operation are the server's (`RouteTable`).
    init(
        method: RouteMethod, path: String, id: String, tag: String, access: RouteAccess,
        summary: String, body: RouteBody = .absent, answer: RouteAnswer,
        errors: [Problem.Code] = []
    ) {
        description = RouteDescription(
            method: method, path: path, id: id, tag: tag, access: access, summary: summary,
            parameters: Path.parameterDescriptions(forPath: path) + Query.fields.map(\.description),
            body: body, answers: [answer], errors: errors)
    }

    /// The same, with another possible success.
    func addingAnswer(_ answer: RouteAnswer) -> Self {
        var route = self
        route.description.answers.append(answer)
        return route
    }

    /// The same, so frequent that the server logs it only for debugging.
    var frequent: Self {
        var route = self
        route.description.isFrequent = true
        return route
    }
}

/// The type of a body or an answer.
package typealias MessageType = any (Decodable & Sendable).Type

package enum RouteMethod: String, Hashable, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
}

/// Which caller may use a route. The raw value is `x-ferry-needs` in the document.
package enum RouteAccess: String, Hashable, Sendable, CaseIterable {
    /// Callers are not authenticated.
    case unauthenticated = "nobody"
    case viewer
    case `operator`
    case admin
    /// The agent that the path names.
    case thatAgent = "agent"
    /// At an agent: the certificate of an operator or a controller.
    case certificate
}

/// What a route takes as a body.
package enum RouteBody: Sendable {
    case absent
    /// - Parameters:
    ///   - isOptional: a missing body is the same as `{}`.
    ///   - bytesMax: a longer body is refused.
    case json(MessageType, isOptional: Bool, bytesMax: Int)
    /// Bytes as they are.
    case bytes(description: String)

    static func requiredJSON(of type: MessageType, bytesMax: Int = Limits.bodyBytesMax) -> RouteBody
    {
        .json(type, isOptional: false, bytesMax: bytesMax)
    }
    static func optionalJSON(of type: MessageType) -> RouteBody {
        .json(type, isOptional: true, bytesMax: Limits.bodyBytesMax)
    }
}

/// A successful answer.
package struct RouteAnswer: Sendable {
    package enum Content: Sendable {
        case absent
        case json(MessageType)
        /// A JSON object that no type of the API describes.
        case anyJSON
        /// Text or bytes; of a stream, without an end.
        case raw(mediaType: String)
    }

    package let status: Int
    let description: String
    package let content: Content
    /// Headers by name, with descriptions.
    var headers: [String: String] = [:]

    static func okAnswer(of type: MessageType, description: String) -> RouteAnswer {
        RouteAnswer(status: 200, description: description, content: .json(type))
    }
    static func createdAnswer(of type: MessageType, description: String) -> RouteAnswer {
        RouteAnswer(status: 201, description: description, content: .json(type))
    }
    static func acceptedAnswer(of type: MessageType, description: String) -> RouteAnswer {
        RouteAnswer(status: 202, description: description, content: .json(type))
    }
    static func emptyAnswer(description: String) -> RouteAnswer {
        RouteAnswer(status: 204, description: description, content: .absent)
    }
    static func rawAnswer(mediaType: String, description: String) -> RouteAnswer {
        RouteAnswer(status: 200, description: description, content: .raw(mediaType: mediaType))
    }

    /// The same, with its revision as a header.
    var withETag: RouteAnswer {
        addingHeader(named: "ETag", description: "The revision, for If-Match.")
    }
    package var hasETag: Bool { headers["ETag"] != nil }

    func addingHeader(named header: String, description: String) -> RouteAnswer {
        var answer = self
        answer.headers[header] = description
        return answer
    }
}

/// No body, in a request or an answer.
package struct NoContent: Hashable, Sendable, Codable {
    package init() {}
}

/// A route without its types.
package struct RouteDescription: Sendable {
    package let method: RouteMethod
    /// "/v1/hosts/{name}"
    package let path: String
    package let id: String
    let tag: String
    package let access: RouteAccess
    let summary: String
    package let parameters: [ParameterDescription]
    package let body: RouteBody
    package internal(set) var answers: [RouteAnswer]
    let errors: [Problem.Code]
    package internal(set) var isFrequent = false

    init(
        method: RouteMethod, path: String, id: String, tag: String, access: RouteAccess,
        summary: String, parameters: [ParameterDescription], body: RouteBody,
        answers: [RouteAnswer], errors: [Problem.Code]
    ) {
        self.method = method
        self.path = path
        self.id = id
        self.tag = tag
        self.access = access
        self.summary = summary
        self.parameters = parameters
        self.body = body
        self.answers = answers
        self.errors = errors
    }

    /// Whether the type of its body is described as strict.
    package var refusesUnknownProperties: Bool {
        guard case .json(let type, _, _) = body, let object = type as? any DescribedObject.Type
        else { return false }
        return object.apiDescription.isStrict
    }

    /// Whether a request's path is one of these.
    package func matchesRequest(path: String) -> Bool {
        let own = self.path.split(separator: "/")
        let other = path.split(separator: "/")
        return own.count == other.count
            && zip(own, other).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}
