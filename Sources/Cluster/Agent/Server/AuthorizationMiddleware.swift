// Who may use the API. TLS has verified the certificate chain; this checks the identity in the certificate.

import API
import Hummingbird
import Logging
import Model
import Serving

/// Admits operators and controllers of this cluster only. Agents use the peer address among themselves: a compromised
/// host must not control the others.
struct AuthorizationMiddleware: RouterMiddleware {
    let cluster: ClusterName

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        guard case .identity(let identity) = await context.identifyPeer() else {
            throw refuseClient(
                reason:
                    "the client's certificate contains no identity; make one with `ferry pki issue --ca AUTHORITY-FOLDER --role operator --name NAME --out FOLDER`",
                in: context)
        }
        guard identity.cluster == cluster else {
            throw refuseClient(
                reason:
                    "\(identity) does not belong to cluster \(cluster); use a certificate of this cluster",
                in: context)
        }
        guard identity.role != .agent else {
            throw refuseClient(
                reason: "an agent's certificate cannot use this API; use an operator's", in: context
            )
        }
        var context = context
        context.caller = .certificate(identity)
        return try await next(request, context)
    }

    private func refuseClient(reason: String, in context: APIContext) -> Problem {
        context.logger.info("client refused", metadata: ["reason": "\(reason)"])
        return Problem(.forbidden, detail: reason)
    }
}
