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
            ControllerRoutes.registerAgent.serveAnswer { call in
                let answer = try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.registerHost(named: call.path, as: call.body, in: &context)
                }
                metrics.countRegistration()
                return answer
            },
            ControllerRoutes.heartbeat.serveAnswer { call in
                let answer = try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.receiveHeartbeat(call.body, from: call.path, in: &context)
                }
                metrics.countHeartbeat()
                return answer
            },
        ]
    }
}
