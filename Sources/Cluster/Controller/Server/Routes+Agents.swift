// What agents say: registrations and heartbeats. The lease that an answer grants counts from the moment at which the
// agent sent what is answered, so a slow answer grants less, never more.
//
// Bodies are read leniently here: an agent of a newer version may say more than this controller knows.

import API
import ClusterCore
import HTTPTypes
import Hummingbird
import Model
import Serving

extension ControllerAPI {
    var agentRoutes: [Route] {
        [
            Route(.put, "/v1/agents/{name}", .thatAgent, register),
            Route(
                .post, "/v1/agents/{name}/heartbeat", .thatAgent, isFrequent: true, heartbeat),
        ]
    }

    @Sendable private func register(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let name = try context.hostName()
        let body = try await request.decode(HostRegistration.self)
        let answer = try await perform { cluster, now, output throws(Problem) in
            try cluster.register(name, body, now, &output)
        }
        metrics.registration()
        return try .json(answer)
    }

    @Sendable private func heartbeat(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let name = try context.hostName()
        let body = try await request.decode(Heartbeat.self, limit: Limits.heartbeatBytesMax)
        let answer = try await perform { cluster, now, output throws(Problem) in
            try cluster.heartbeat(of: name, body, now, &output)
        }
        metrics.heartbeat()
        return try .json(answer)
    }
}
