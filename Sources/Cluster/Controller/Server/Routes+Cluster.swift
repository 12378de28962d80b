// The cluster as a whole, and the routes for service managers and Prometheus.

import API
import ClusterCore
import Model
import Serving

extension ControllerAPI {
    var clusterRoutes: [ServedRoute] {
        get throws {
            [
                ControllerRoutes.cluster.serve { _ in try await info() },
                try ControllerRoutes.openAPI.serve(rules.document),
                ControllerRoutes.metrics.serveRaw { _ in
                    let text = metrics.exposition(
                        of: try await figuresOfLeader(), version: ferryVersion)
                    return .bytes(Array(text.utf8), mediaType: Exposition.mediaType)
                },
                ControllerRoutes.health.serveRaw { _ in .text("alive\n") },
                ControllerRoutes.readiness.serveRaw { _ in
                    try await perform { _, _ in }
                    return .text("leads\n")
                },
            ]
        }
    }

    private func info() async throws(Problem) -> ClusterInfo {
        let name = name
        let policy = policy
        let own = cluster
        return try await perform { cluster, _ in
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
            return try await perform { cluster, _ in ClusterFigures(cluster) }
        } catch {
            guard error.knownCode == .notLeader else { throw error }
            return nil
        }
    }
}
