// A path that is known, with a method that is not.

package import API
import HTTPTypes
package import Hummingbird

/// Answers 405 and the methods that the path takes.
package struct MethodNotAllowedMiddleware: RouterMiddleware {
    private let routes: [RouteDescription]

    package init(routes: [RouteDescription]) { self.routes = routes }

    package func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do { return try await next(request, context) } catch let error as any HTTPResponseError
            where error.status == .notFound
        {
            let methods = routes.filter { $0.matchesRequest(path: request.uri.path) }
                .map(\.method.rawValue)
            guard !methods.isEmpty else { throw error }
            throw Refusal(
                Problem(
                    .methodNotAllowed,
                    detail:
                        "\(request.uri.path.prefix(200)) takes \(methods.joined(separator: ", ")), not \(request.method.rawValue.prefix(40))"
                ), headers: [.allow: methods.joined(separator: ", ")])
        }
    }
}
