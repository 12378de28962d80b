// A controller that was deposed must not command: its requests carry the term in which it led.

import API
import HTTPTypes
import Hummingbird
import Model
import Serving

/// Behind `Authorization`, which knows who asks.
struct Fencing: RouterMiddleware {
    let fence: TermFence

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        if context.identity?.role == .controller { try await hear(Self.term(of: request)) }
        return try await next(request, context)
    }

    @inline(never)
    private func hear(_ term: UInt64) async throws(Problem) {
        do throws(TermError) {
            try await onThread("term") { () throws(TermError) in try fence.hear(term) }
        } catch {
            switch error {
            case .stale: throw Problem(.staleTerm, "\(error)")
            case .notWritten: throw Problem(.internalError, "\(error)")
            }
        }
    }

    private static func term(of request: Request) throws(Problem) -> UInt64 {
        guard let name = HTTPField.Name(termHeader), let text = request.headers[name],
            let term = UInt64(text)
        else {
            throw Problem(
                .badRequest, "a controller's requests carry its term in the header \(termHeader)")
        }
        return term
    }
}
