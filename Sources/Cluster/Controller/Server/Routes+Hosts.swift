// Hosts: list, show, drain, activate, fence, forget; plans of maintenance.

import API
import ClusterCore
import Model
import Serving

extension ControllerAPI {
    var hostRoutes: [ServedRoute] {
        [
            ControllerRoutes.listHosts.serveAnswer { call in
                try await runOnCluster { cluster, context in
                    cluster.listHosts(
                        after: call.query.after, limit: call.query.pageLimit, at: context.now)
                }
            },
            ControllerRoutes.showHost.serveAnswer { call in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.clusterHost(named: call.path, at: context.now)
                }
            },
            ControllerRoutes.forgetHost.serveNoContent { call in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.forgetHost(named: call.path, in: &context)
                }
            },
            ControllerRoutes.fenceHost.serveAnswer { call in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.fenceHost(named: call.path, confirmedBy: call.body, in: &context)
                }
            },
        ]
    }

    var maintenanceRoutes: [ServedRoute] {
        [
            ControllerRoutes.planDrain.serveAnswer { call in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.planDrain(of: call.path, as: call.body)
                }
            },
            ControllerRoutes.drainHost.serveAnswer { call in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.drainHost(
                        named: call.path, as: call.body, requestedBy: call.callerName, in: &context)
                }
            },
            ControllerRoutes.endDrain.serveAnswer { call in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.cancelDrain(of: call.path, in: &context)
                }
            },
            ControllerRoutes.activateHost.serveReply { call in
                let (host, operation) = try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.activateHost(
                        named: call.path, as: call.body, requestedBy: call.callerName, in: &context)
                }
                return operation.map { RouteReply(.bringingBack($0), status: 202) }
                    ?? RouteReply(.host(host))
            },
            ControllerRoutes.planMaintenance.serveAnswer { call in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.planMaintenance(as: call.body)
                }
            },
        ]
    }
}
