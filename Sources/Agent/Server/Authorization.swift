// Who may use the API. TLS has checked the chain already; this checks what the certificate says.

import API
import Hummingbird
import Model

/// Lets in operators, the controller and agents of this very cluster; nobody else.
struct Authorization: RouterMiddleware {
    let cluster: ClusterName

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        guard let identity = await context.peerIdentity() else {
            throw Problem(
                .forbidden,
                "the client's certificate holds no identity; use one from `ferry pki issue`")
        }
        guard identity.cluster == cluster else {
            throw Problem(
                .forbidden,
                "\(identity) is not of cluster \(cluster); use a certificate of this cluster")
        }
        var context = context
        context.identity = identity
        return try await next(request, context)
    }
}
