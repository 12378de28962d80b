// A controller that is not the leader any more must not control this host: requests carry the term of their controller.

import API
import HTTPTypes
import Hummingbird
import Model
import Serving

/// Runs after `Authorization`, which sets the caller.
struct FencingMiddleware: RouterMiddleware {
    let fence: TermFence

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        if context.identity?.role == .controller {
            try await acceptTerm(Self.readTermHeader(of: request))
        }
        return try await next(request, context)
    }

    @inline(never)
    private func acceptTerm(_ term: UInt64) async throws(Problem) {
        do throws(TermError) {
            try await runOnThread(named: "term") { () throws(TermError) in
                try fence.acceptTerm(term)
            }
        } catch {
            switch error {
            case .stale: throw Problem(.staleTerm, detail: "\(error)")
            case .notWritten: throw Problem(.internalError, detail: "\(error)")
            }
        }
    }

    private static func readTermHeader(of request: Request) throws(Problem) -> UInt64 {
        guard let name = HTTPField.Name(termHeader), let text = request.headers[name],
            let term = UInt64(text)
        else {
            throw Problem(
                .badRequest,
                detail: "a controller's requests carry its term in the header \(termHeader)")
        }
        return term
    }
}
