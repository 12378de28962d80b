// The cluster as a whole, and the routes for service managers and Prometheus.

import API
import ClusterCore
import Model
import Serving

extension ControllerAPI {
    var clusterRoutes: [ServedRoute] {
        get throws {
            [
                ControllerRoutes.cluster.serveAnswer { _ in try await clusterInfo() },
                try ControllerRoutes.openAPI.serveDocument(rules.document),
                ControllerRoutes.metrics.serveRawResponse { _ in
                    let text = metrics.exposition(
                        of: try await figuresOfLeader(), version: ferryVersion)
                    return .rawResponse(bytes: Array(text.utf8), mediaType: Exposition.mediaType)
                },
                ControllerRoutes.health.serveRawResponse { _ in .plainTextResponse(body: "alive\n")
                },
                ControllerRoutes.readiness.serveRawResponse { _ in
                    try await runOnCluster { _, _ in }
                    return .plainTextResponse(body: "leads\n")
                },
            ]
        }
    }

    private func clusterInfo() async throws(Problem) -> ClusterInfo {
        let name = name
        let policy = policy
        let own = cluster
        return try await runOnCluster { cluster, _ in
            ClusterInfo(
                cluster: own, controller: name, leader: name, term: cluster.term.number,
                version: ferryVersion, policy: policy, hosts: cluster.hostCounts,
                vms: cluster.vmCounts, migrations: cluster.migrationsUnderWay,
                imbalance: cluster.imbalance)
        }
    }

    /// Nil on a follower, which reports only about itself.
    private func figuresOfLeader() async throws(Problem) -> ClusterFigures? {
        do throws(Problem) {
            return try await runOnCluster { cluster, _ in ClusterFigures(of: cluster) }
        } catch {
            guard error.knownCode == .notLeader else { throw error }
            return nil
        }
    }
}
