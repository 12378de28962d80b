// Who may use what. TLS has checked the chain of a certificate that was shown; this reads whom it names, and tokens.
//
//   operator's certificate, admin's token   everything but what agents say
//   operator's token                        commands and looks
//   viewer's token, controller's certificate looks
//   agent's certificate                     its own words to the controller, and nothing else

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
    func caller(
        of request: Request, _ context: APIContext, for needs: Route.Needs
    ) async throws -> Caller? {
        if needs == .nobody { return nil }
        let caller = try await caller(of: request, context)
        guard try may(caller, needs, context) else {
            context.logger.info(
                "caller refused",
                metadata: ["who": "\(caller)", "path": "\(request.uri.path)"])
            throw Problem(.forbidden, "\(caller) may not do this: \(needs.sentence)")
        }
        return caller
    }

    private func caller(
        of request: Request, _ context: APIContext
    ) async throws -> Caller {
        guard let field = request.headers[.authorization] else {
            return try await certificate(context)
        }
        return try await token(field, context)
    }

    private func may(
        _ caller: Caller, _ needs: Route.Needs, _ context: APIContext
    ) throws -> Bool {
        switch needs {
        case .nobody: true
        case .viewer: caller.rank != nil
        case .operator: caller.rank == .operator || caller.rank == .admin
        case .admin: caller.rank == .admin
        case .thatAgent: try isAgent(caller, context)
        }
    }

    private func isAgent(_ caller: Caller, _ context: APIContext) throws -> Bool {
        guard case .certificate(let identity) = caller, identity.role == .agent else {
            return false
        }
        return try identity.name == context.hostName()
    }

    private func certificate(_ context: APIContext) async throws -> Caller {
        switch await context.peer() {
        case .withoutCertificate:
            throw unauthorized("show a certificate of cluster \(cluster), or a token")
        case .unnamed:
            throw Problem(
                .forbidden,
                "the client's certificate holds no identity; make one with `ferry pki issue --ca AUTHORITY-FOLDER --role operator --name NAME --out FOLDER`"
            )
        case .identity(let identity):
            guard identity.cluster == cluster else {
                throw Problem(
                    .forbidden,
                    "\(identity) is not of cluster \(cluster); use a certificate of this cluster")
            }
            return .certificate(identity)
        }
    }

    private func token(_ field: String, _ context: APIContext) async throws -> Caller {
        let parts = field.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer",
            let name = Token.name(in: String(parts[1]))
        else { throw unauthorized("the Authorization header holds no token of Ferry's") }
        let text = String(parts[1])
        let role = try await driver.perform { cluster, now, _ in
            cluster.tokenRecords.first { $0.name == name }
                .flatMap { Token.check(text, $0, nowMs: now.wallMs) }
        }
        guard let role else {
            context.logger.info("token refused")
            throw unauthorized("nobody is known by this token, or it has ended")
        }
        return .token(name: name, role: role)
    }

    private func unauthorized(_ sentence: String) -> Refusal {
        Refusal(
            Problem(.unauthorized, sentence),
            headers: [.wwwAuthenticate: "Bearer realm=\"ferry\""])
    }
}

extension Caller {
    /// What token would let it do the same; nil: none.
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

extension Route.Needs {
    fileprivate var sentence: String {
        switch self {
        case .nobody: "everybody may"
        case .viewer: "it is for people and tools, with an operator's certificate or a token"
        case .operator: "it is for operators"
        case .admin: "it is for admins"
        case .thatAgent: "it is for the agent of that host, with its certificate"
        }
    }
}
