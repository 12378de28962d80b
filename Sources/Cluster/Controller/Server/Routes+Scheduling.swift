// The scheduler: explanations and balance; and the operations of the cluster.

import API
import ClusterCore
import Model
import Serving

extension ControllerAPI {
    var schedulingRoutes: [ServedRoute] {
        [
            ControllerRoutes.explainPlacement.serveAnswer { call in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.explainPlacement(for: call.body)
                }
            },
            ControllerRoutes.showBalance.serveAnswer { _ in
                try await runOnCluster { cluster, _ in cluster.balanceInfo() }
            },
            ControllerRoutes.updateBalance.serveAnswer { call in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.updateBalance(applying: call.body, in: &context)
                }
            },
            ControllerRoutes.planBalance.serveAnswer { _ in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.planBalance(at: context.now)
                }
            },
            ControllerRoutes.runBalance.serveAnswer { call in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.runBalance(requestedBy: call.callerName, in: &context)
                }
            },
        ]
    }

    var operationRoutes: [ServedRoute] {
        [
            ControllerRoutes.listOperations.serveAnswer { call in
                try await runOnCluster { cluster, _ in
                    cluster.listOperations(
                        after: call.query.after, limit: call.query.pageLimit,
                        inState: call.query.state)
                }
            },
            ControllerRoutes.showOperation.serveAnswer { call in
                try await runOnCluster { cluster, _ throws(Problem) in
                    try cluster.operation(withID: call.path)
                }
            },
            ControllerRoutes.cancelOperation.serveAnswer { call in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.cancelOperation(withID: call.path, in: &context)
                }
            },
        ]
    }
}
