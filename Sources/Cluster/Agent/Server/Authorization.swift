// Who may use the API. TLS has checked the chain already; this checks what the certificate says.

import API
import Hummingbird
import Logging
import Model
import Serving

/// Lets in operators and the controller of this very cluster; nobody else. Agents talk to each other over the peer
/// address: a host that was broken into must not command the others.
struct Authorization: RouterMiddleware {
    let cluster: ClusterName

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        guard case .identity(let identity) = await context.peer() else {
            throw refusal(
                "the client's certificate holds no identity; make one with `ferry pki issue --ca AUTHORITY-FOLDER --role operator --name NAME --out FOLDER`",
                context)
        }
        guard identity.cluster == cluster else {
            throw refusal(
                "\(identity) is not of cluster \(cluster); use a certificate of this cluster",
                context)
        }
        guard identity.role != .agent else {
            throw refusal(
                "an agent's certificate cannot use this API; use an operator's", context)
        }
        var context = context
        context.caller = .certificate(identity)
        return try await next(request, context)
    }

    private func refusal(_ sentence: String, _ context: APIContext) -> Problem {
        context.logger.info("client refused", metadata: ["reason": "\(sentence)"])
        return Problem(.forbidden, sentence)
    }
}
