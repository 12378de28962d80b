// Hosts: list, show, drain, activate, fence, forget; plans of maintenance.

import API
import ClusterCore
import Model
import Serving

extension ControllerAPI {
    var hostRoutes: [ServedRoute] {
        [
            ControllerRoutes.listHosts.serve { call in
                try await perform { cluster, context in
                    cluster.listHosts(
                        after: call.query.after, limit: call.query.pageLimit, at: context.now)
                }
            },
            ControllerRoutes.showHost.serve { call in
                try await perform { cluster, context throws(Problem) in
                    try cluster.host(named: call.path, at: context.now)
                }
            },
            ControllerRoutes.forgetHost.serveNoContent { call in
                try await perform { cluster, context throws(Problem) in
                    try cluster.forgetHost(call.path, in: &context)
                }
            },
            ControllerRoutes.fenceHost.serve { call in
                try await perform { cluster, context throws(Problem) in
                    try cluster.fenceHost(call.path, confirmedBy: call.body, in: &context)
                }
            },
        ]
    }

    var maintenanceRoutes: [ServedRoute] {
        [
            ControllerRoutes.planDrain.serve { call in
                try await perform { cluster, context throws(Problem) in
                    try cluster.planDrain(of: call.path, as: call.body)
                }
            },
            ControllerRoutes.drainHost.serve { call in
                try await perform { cluster, context throws(Problem) in
                    try cluster.drainHost(
                        call.path, as: call.body, requestedBy: call.callerName, in: &context)
                }
            },
            ControllerRoutes.endDrain.serve { call in
                try await perform { cluster, context throws(Problem) in
                    try cluster.cancelDrain(of: call.path, in: &context)
                }
            },
            ControllerRoutes.activateHost.serveReply { call in
                let (host, operation) = try await perform { cluster, context throws(Problem) in
                    try cluster.activateHost(
                        call.path, as: call.body, requestedBy: call.callerName, in: &context)
                }
                return operation.map { RouteReply(.bringingBack($0), status: 202) }
                    ?? RouteReply(.host(host))
            },
            ControllerRoutes.planMaintenance.serve { call in
                try await perform { cluster, context throws(Problem) in
                    try cluster.planMaintenance(as: call.body)
                }
            },
        ]
    }
}
