// Tokens: who has one, new ones, the end of one.

import API
import ClusterCore
import HTTPTypes
import Hummingbird
import Model
import Serving

extension ControllerAPI {
    var tokenRoutes: [Route] {
        [
            Route(.get, "/v1/tokens", .admin, listTokens),
            Route(.post, "/v1/tokens", .admin, createToken),
            Route(.delete, "/v1/tokens/{name}", .admin, deleteToken),
        ]
    }

    @Sendable private func listTokens(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        let query = try Query(request, "limit", "after")
        let (limit, after) = (try query.limit, query.text("after"))
        return try .json(
            await perform { cluster, _, _ in cluster.tokens(after: after, limit: limit) })
    }

    @Sendable private func createToken(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let body = try await request.decode(CreateToken.self, unknownKeys: document)
        let (text, record) = try Token.make(body, nowMs: Moment.now.wallMs)
        var info = try await perform { cluster, _, output throws(Problem) in
            try cluster.createToken(record, &output)
        }
        info.token = text
        return try .json(
            info, status: .created, headers: [.cacheControl: "no-store"])
    }

    @Sendable private func deleteToken(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let name = try context.word("name")
        try await perform { cluster, _, output throws(Problem) in
            try cluster.deleteToken(name, &output)
        }
        return Response(status: .noContent)
    }
}
