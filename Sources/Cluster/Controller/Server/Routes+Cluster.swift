// The cluster as a whole, and what service managers and Prometheus ask.

import API
import ClusterCore
import HTTPTypes
import Hummingbird
import Model
import NIOCore
import Serving

extension ControllerAPI {
    var clusterRoutes: [Route] {
        [
            Route(.get, ClusterPaths.cluster, .viewer, info),
            Route(.get, ClusterPaths.openAPI, .viewer, describe),
            Route(.get, ClusterPaths.metrics, .viewer, figures),
            Route(.get, "/healthz", .nobody, health),
            Route(.get, "/readyz", .nobody, readiness),
        ]
    }

    @Sendable private func info(_ request: Request, _ context: APIContext) async throws -> Response
    {
        _ = try Query(request)
        let name = name
        let policy = policy
        let own = cluster
        return try .json(
            await perform { cluster, _, _ in
                ClusterInfo(
                    cluster: own, controller: name, leader: name, term: cluster.term.number,
                    version: ferryVersion, policy: policy, hosts: cluster.hostCounts,
                    vms: cluster.vmCounts, migrations: cluster.movesUnderWay,
                    imbalance: cluster.imbalance)
            })
    }

    @Sendable private func describe(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        return text(document.bytes, "application/json")
    }

    @Sendable private func figures(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let text = metrics.text(try await figuresOfLeader(), version: ferryVersion)
        return self.text(Array(text.utf8), Exposition.mediaType)
    }

    /// Nil on a follower, which tells about itself only.
    private func figuresOfLeader() async throws(Problem) -> ClusterFigures? {
        do throws(Problem) {
            return try await perform { cluster, _, _ in ClusterFigures(cluster) }
        } catch {
            guard error.knownCode == .notLeader else { throw error }
            return nil
        }
    }

    @Sendable private func health(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        return text(Array("alive\n".utf8), "text/plain; charset=utf-8")
    }

    @Sendable private func readiness(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        try await perform { _, _, _ in }
        return text(Array("leads\n".utf8), "text/plain; charset=utf-8")
    }

    private func text(_ bytes: [UInt8], _ mediaType: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: mediaType],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
