// What agents report: registrations and heartbeats. The lease that an answer grants counts from the moment at which the
// agent sent what is answered, so a slow answer grants less, never more.
//
// Bodies may have properties that are not known here: an agent of a newer version may report more than this controller
// knows.

import API
import ClusterCore
import Model
import Serving

extension ControllerAPI {
    var agentRoutes: [ServedRoute] {
        [
            ControllerRoutes.registerAgent.serve { call in
                let answer = try await perform { cluster, context throws(Problem) in
                    try cluster.registerHost(call.path, as: call.body, in: &context)
                }
                metrics.registration()
                return answer
            },
            ControllerRoutes.heartbeat.serve { call in
                let answer = try await perform { cluster, context throws(Problem) in
                    try cluster.receiveHeartbeat(call.body, from: call.path, in: &context)
                }
                metrics.heartbeat()
                return answer
            },
        ]
    }
}
