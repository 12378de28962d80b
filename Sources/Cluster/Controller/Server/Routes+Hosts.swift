// Hosts: list, show, drain, activate, fence, forget; plans of maintenance.

import API
import ClusterCore
import Model
import Serving

extension ControllerAPI {
    var hostRoutes: [ServedRoute] {
        [
            ControllerRoutes.listHosts.serve { call in
                try await perform { cluster, now, _ in
                    cluster.hosts(after: call.query.after, limit: call.query.pageLimit, now)
                }
            },
            ControllerRoutes.showHost.serve { call in
                try await perform { cluster, now, _ throws(Problem) in
                    try cluster.host(call.path, now)
                }
            },
            ControllerRoutes.forgetHost.serveNoContent { call in
                try await perform { cluster, now, output throws(Problem) in
                    try cluster.forget(call.path, now, &output)
                }
            },
            ControllerRoutes.fenceHost.serve { call in
                try await perform { cluster, now, output throws(Problem) in
                    try cluster.fence(call.path, call.body, now, &output)
                }
            },
        ]
    }

    var maintenanceRoutes: [ServedRoute] {
        [
            ControllerRoutes.planDrain.serve { call in
                try await perform { cluster, now, _ throws(Problem) in
                    try cluster.planDrain(call.path, call.body, now)
                }
            },
            ControllerRoutes.drainHost.serve { call in
                try await perform { cluster, now, output throws(Problem) in
                    try cluster.drain(call.path, call.body, by: call.callerName, now, &output)
                }
            },
            ControllerRoutes.endDrain.serve { call in
                try await perform { cluster, now, output throws(Problem) in
                    try cluster.cancelDrain(call.path, now, &output)
                }
            },
            ControllerRoutes.activateHost.serveReply { call in
                let (host, operation) = try await perform { cluster, now, output throws(Problem) in
                    try cluster.activate(call.path, call.body, by: call.callerName, now, &output)
                }
                return operation.map { RouteReply(.bringingBack($0), status: 202) }
                    ?? RouteReply(.host(host))
            },
            ControllerRoutes.planMaintenance.serve { call in
                try await perform { cluster, now, _ throws(Problem) in
                    try cluster.planMaintenance(call.body, now)
                }
            },
        ]
    }
}
