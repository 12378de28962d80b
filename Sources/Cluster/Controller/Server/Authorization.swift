// Who may use what. TLS has checked the chain of a certificate that was shown; this reads whom it names, and tokens.
//
//   operator's certificate, admin's token     everything except the routes of agents
//   operator's token                          reads and commands
//   viewer's token, controller's certificate  reads
//   agent's certificate                       its own registration and heartbeats, nothing else

import API
import ClusterCore
import HTTPTypes
import Hummingbird
import Logging
import Model
import Serving

struct Authorization: Sendable {
    let cluster: ClusterName
    let driver: ClusterDriver

    /// The caller, if it may do this.
    func authorizedCaller(
        of request: Request, in context: APIContext, for access: RouteAccess
    ) async throws -> Caller? {
        if access == .unauthenticated { return nil }
        let caller = try await authenticatedCaller(of: request, in: context)
        guard try isAccessAllowed(for: caller, to: access, in: context) else {
            context.logger.info(
                "caller refused",
                metadata: ["who": "\(caller)", "path": "\(request.uri.path)"])
            throw Problem(.forbidden, detail: "\(caller) may not do this: \(access.sentence)")
        }
        return caller
    }

    private func authenticatedCaller(
        of request: Request, in context: APIContext
    ) async throws -> Caller {
        guard let field = request.headers[.authorization] else {
            return try await certificateHolder(of: context)
        }
        return try await tokenHolder(headerField: field, in: context)
    }

    private func isAccessAllowed(
        for caller: Caller, to access: RouteAccess, in context: APIContext
    ) throws -> Bool {
        switch access {
        case .unauthenticated: true
        case .viewer: caller.rank != nil
        case .operator: caller.rank == .operator || caller.rank == .admin
        case .admin: caller.rank == .admin
        case .thatAgent: try isAgentCaller(caller, namedIn: context)
        // Agents have such routes, controllers have none.
        case .certificate: false
        }
    }

    private func isAgentCaller(_ caller: Caller, namedIn context: APIContext) throws -> Bool {
        guard case .certificate(let identity) = caller, identity.role == .agent else {
            return false
        }
        return try context.pathHostName() == identity.name
    }

    private func certificateHolder(of context: APIContext) async throws -> Caller {
        switch await context.identifyPeer() {
        case .withoutCertificate:
            throw unauthorizedProblem(
                reason: "present a certificate of cluster \(cluster), or a token")
        case .unnamed:
            throw Problem(
                .forbidden,
                detail:
                    "the client's certificate holds no identity; make one with `ferry pki issue --ca AUTHORITY-FOLDER --role operator --name NAME --out FOLDER`"
            )
        case .identity(let identity):
            guard identity.cluster == cluster else {
                throw Problem(
                    .forbidden,
                    detail:
                        "\(identity) is not of cluster \(cluster); use a certificate of this cluster"
                )
            }
            return .certificate(identity)
        }
    }

    private func tokenHolder(
        headerField field: String, in context: APIContext
    ) async throws -> Caller {
        let parts = field.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer",
            let name = Token.tokenName(fromText: String(parts[1]))
        else { throw unauthorizedProblem(reason: "the Authorization header holds no Ferry token") }
        let text = String(parts[1])
        let role = try await driver.runOnCluster { cluster, context in
            cluster.tokenRecords.first { $0.name == name }
                .flatMap { Token.tokenRole(text: text, record: $0, nowMs: context.now.wallMs) }
        }
        guard let role else {
            context.logger.info("token refused")
            throw unauthorizedProblem(reason: "the token is not known, or it has expired")
        }
        return .token(name: name, role: role)
    }

    private func unauthorizedProblem(reason sentence: String) -> Refusal {
        Refusal(
            Problem(.unauthorized, detail: sentence),
            headers: [.wwwAuthenticate: "Bearer realm=\"ferry\""])
    }
}

extension Caller {
    /// The role of a token with the same rights; nil for none.
    fileprivate var rank: TokenRole? {
        switch self {
        case .certificate(let identity):
            switch identity.role {
            case .operator: .admin
            case .controller: .viewer
            case .agent: nil
            }
        case .token(_, let role): role
        }
    }
}

extension RouteAccess {
    fileprivate var sentence: String {
        switch self {
        case .unauthenticated: "it needs no authentication"
        case .viewer: "it needs an operator's certificate or a token"
        case .operator: "it needs the role operator"
        case .admin: "it needs the role admin"
        case .thatAgent: "it needs the certificate of that host's agent"
        case .certificate: "it needs the certificate of an operator or a controller"
        }
    }
}
