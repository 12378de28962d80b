// Hosts: look, drain, activate, fence, forget.

import API
import ClusterCore
import HTTPTypes
import Hummingbird
import Model
import Serving

extension ControllerAPI {
    var hostRoutes: [Route] {
        [
            Route(.get, "/v1/hosts", .viewer, listHosts),
            Route(.get, "/v1/hosts/{name}", .viewer, showHost),
            Route(.delete, "/v1/hosts/{name}", .operator, forgetHost),
            Route(.post, "/v1/hosts/{name}/drain/plan", .viewer, planDrain),
            Route(.post, "/v1/hosts/{name}/drain", .operator, drain),
            Route(.delete, "/v1/hosts/{name}/drain", .operator, endDrain),
            Route(.post, "/v1/hosts/{name}/activate", .operator, activate),
            Route(.post, "/v1/hosts/{name}/fence", .admin, fence),
        ]
    }

    @Sendable private func listHosts(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        let query = try Query(request, "limit", "after")
        let (limit, after) = (try query.limit, try query.name("after", as: HostName.self))
        return try .json(
            await perform { cluster, now, _ in cluster.hosts(after: after, limit: limit, now) })
    }

    @Sendable private func showHost(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let name = try context.hostName()
        let host = try await perform { cluster, now, _ throws(Problem) in
            try cluster.host(name, now)
        }
        return try .json(host, headers: .etag(host.revision))
    }

    @Sendable private func forgetHost(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let name = try context.hostName()
        try await perform { cluster, now, output throws(Problem) in
            try cluster.forget(name, now, &output)
        }
        return Response(status: .noContent)
    }

    @Sendable private func planDrain(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let name = try context.hostName()
        let body = try await body(DrainHost.self, of: request)
        return try .json(
            await perform { cluster, now, _ throws(Problem) in
                try cluster.planDrain(name, body, now)
            })
    }

    @Sendable private func drain(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let name = try context.hostName()
        let body = try await body(DrainHost.self, of: request)
        let who = context.who
        return try .json(
            await perform { cluster, now, output throws(Problem) in
                try cluster.drain(name, body, by: who, now, &output)
            }, status: .accepted)
    }

    @Sendable private func endDrain(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let name = try context.hostName()
        return try .json(
            await perform { cluster, now, output throws(Problem) in
                try cluster.cancelDrain(name, now, &output)
            })
    }

    @Sendable private func activate(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let name = try context.hostName()
        let body = try await body(ActivateHost.self, of: request)
        let who = context.who
        let (host, operation) = try await perform { cluster, now, output throws(Problem) in
            try cluster.activate(name, body, by: who, now, &output)
        }
        guard let operation else { return try .json(host, headers: .etag(host.revision)) }
        return try .json(operation, status: .accepted)
    }

    @Sendable private func fence(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let name = try context.hostName()
        let body = try await request.decode(FenceHost.self, unknownKeys: document)
        return try .json(
            await perform { cluster, now, output throws(Problem) in
                try cluster.fence(name, body, now, &output)
            })
    }

    /// A body that may be left out.
    func body<Value: Decodable>(_ type: Value.Type, of request: Request) async throws -> Value {
        try await request.decode(type, optional: true, unknownKeys: document)
    }
}
