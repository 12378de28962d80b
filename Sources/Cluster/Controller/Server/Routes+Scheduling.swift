// The scheduler: explanations and balance; and the operations of the cluster.

import API
import ClusterCore
import Model
import Serving

extension ControllerAPI {
    var schedulingRoutes: [ServedRoute] {
        [
            ControllerRoutes.explainPlacement.serve { call in
                try await perform { cluster, context throws(Problem) in
                    try cluster.explainPlacement(call.body)
                }
            },
            ControllerRoutes.showBalance.serve { _ in
                try await perform { cluster, _ in cluster.balanceInfo() }
            },
            ControllerRoutes.updateBalance.serve { call in
                try await perform { cluster, context throws(Problem) in
                    try cluster.updateBalance(applying: call.body, in: &context)
                }
            },
            ControllerRoutes.planBalance.serve { _ in
                try await perform { cluster, context throws(Problem) in
                    try cluster.planBalance(at: context.now)
                }
            },
            ControllerRoutes.runBalance.serve { call in
                try await perform { cluster, context throws(Problem) in
                    try cluster.runBalance(requestedBy: call.callerName, in: &context)
                }
            },
        ]
    }

    var operationRoutes: [ServedRoute] {
        [
            ControllerRoutes.listOperations.serve { call in
                try await perform { cluster, _ in
                    cluster.listOperations(
                        after: call.query.after, limit: call.query.pageLimit,
                        state: call.query.state)
                }
            },
            ControllerRoutes.showOperation.serve { call in
                try await perform { cluster, _ throws(Problem) in
                    try cluster.operation(withID: call.path)
                }
            },
            ControllerRoutes.cancelOperation.serve { call in
                try await perform { cluster, context throws(Problem) in
                    try cluster.cancelOperation(call.path, in: &context)
                }
            },
        ]
    }
}
