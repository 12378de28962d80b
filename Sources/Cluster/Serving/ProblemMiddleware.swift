// What stands around every handler: its errors become problems, and its end a line in the log.

package import API
package import HTTPTypes
package import Hummingbird
import Logging
import Model

/// A problem that says more in the answer's headers: where to go, what is allowed.
package struct Refusal: Error {
    package var problem: Problem
    package var headers: HTTPFields

    package init(_ problem: Problem, headers: HTTPFields) {
        self.problem = problem
        self.headers = headers
    }
}

/// Turns what handlers throw into problems. An error that is not foreseen is logged, and told without detail.
package struct ProblemMiddleware: RouterMiddleware {
    package init() {}

    package func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do { return try await next(request, context) } catch let problem as Problem {
            return try .problemResponse(for: problem)
        } catch let refusal as Refusal {
            return try .problemResponse(for: refusal.problem, headers: refusal.headers)
        } catch let error as NameError {
            return try .problemResponse(for: Problem(.badRequest, detail: "\(error)"))
        } catch let error as any HTTPResponseError {
            return try .problemResponse(for: Problem(error, of: request))
        } catch {
            context.logger.error(
                "request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return try .problemResponse(
                for: Problem(.internalError, detail: "see the server's log"))
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
                detail: "there is no \(request.method) \(request.uri.path.prefix(200)) in this API")
        case .contentTooLarge:
            self.init(.bodyTooLarge, detail: "a body may have \(APILimits.bodyBytesMax) bytes")
        default: self.init(.badRequest, detail: "\(error)")
        }
    }
}

/// One line a request: who, what, how it ended. Behind the authorization, so that the who is known, and before
/// another `Problems`, so that the end is. What changes nothing, and what comes all the time, is logged for
/// debugging only.
package struct RequestLogMiddleware: RouterMiddleware {
    /// How the paths end that are asked all the time.
    private let frequent: [String]

    package init(frequent: [String]) { self.frequent = frequent }

    package func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        context.logger.log(
            level: isNoteworthy(request) ? .info : .debug, "request",
            metadata: [
                "who": "\(context.caller.map { "\($0)" } ?? "nobody")",
                "method": "\(request.method)", "path": "\(request.uri.path)",
                "status": "\(response.status.code)",
            ])
        return response
    }

    private func isNoteworthy(_ request: Request) -> Bool {
        request.method != .get && !frequent.contains(where: request.uri.path.hasSuffix)
    }
}
