// One operation of the API: its method and path, who may, and what serves it.

import API
package import HTTPTypes
package import Hummingbird
import Model
package import Serving

package struct Route: Sendable {
    package typealias Handler = @Sendable (Request, APIContext) async throws -> Response

    /// Who may use it.
    package enum Needs: Hashable, Sendable, CaseIterable {
        /// Nobody is asked who they are.
        case nobody
        case viewer
        case `operator`
        case admin
        /// The agent that the path names.
        case thatAgent
    }

    package let method: HTTPRequest.Method
    /// As in the OpenAPI document: "/v1/hosts/{name}".
    package let path: String
    package let needs: Needs
    /// So frequent that it is no line in the log.
    package var isFrequent = false
    let handle: Handler

    init(
        _ method: HTTPRequest.Method, _ path: String, _ needs: Needs, isFrequent: Bool = false,
        _ handle: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.needs = needs
        self.isFrequent = isFrequent
        self.handle = handle
    }

    /// Whether a request's path is one of these.
    func matches(_ path: String) -> Bool {
        let own = self.path.split(separator: "/")
        let other = path.split(separator: "/")
        return own.count == other.count
            && zip(own, other).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}

/// A path that is known, with a method that is not: 405, and which methods there are.
struct KnownMethods: RouterMiddleware {
    let routes: [Route]

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do { return try await next(request, context) } catch let error as any HTTPResponseError
            where error.status == .notFound
        {
            let methods = routes.filter { $0.matches(request.uri.path) }.map(\.method.rawValue)
            guard !methods.isEmpty else { throw error }
            throw Refusal(
                Problem(
                    .methodNotAllowed,
                    "\(request.uri.path.prefix(200)) takes \(methods.joined(separator: ", ")), not \(request.method.rawValue.prefix(40))"
                ), headers: [.allow: methods.joined(separator: ", ")])
        }
    }
}
