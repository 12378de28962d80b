// The scheduler: explanations and balance; and the operations of the cluster.

import API
import ClusterCore
import Model
import Serving

extension ControllerAPI {
    var schedulingRoutes: [ServedRoute] {
        [
            ControllerRoutes.explainPlacement.serve { call in
                try await perform { cluster, now, _ throws(Problem) in
                    try cluster.explain(call.body)
                }
            },
            ControllerRoutes.showBalance.serve { _ in
                try await perform { cluster, _, _ in cluster.balanceInfo() }
            },
            ControllerRoutes.updateBalance.serve { call in
                try await perform { cluster, now, output throws(Problem) in
                    try cluster.updateBalance(call.body, now, &output)
                }
            },
            ControllerRoutes.planBalance.serve { _ in
                try await perform { cluster, now, _ throws(Problem) in
                    try cluster.planBalance(now)
                }
            },
            ControllerRoutes.runBalance.serve { call in
                try await perform { cluster, now, output throws(Problem) in
                    try cluster.runBalance(by: call.callerName, now, &output)
                }
            },
        ]
    }

    var operationRoutes: [ServedRoute] {
        [
            ControllerRoutes.listOperations.serve { call in
                try await perform { cluster, _, _ in
                    cluster.operations(
                        after: call.query.after, limit: call.query.pageLimit,
                        state: call.query.state)
                }
            },
            ControllerRoutes.showOperation.serve { call in
                try await perform { cluster, _, _ throws(Problem) in
                    try cluster.operation(call.path)
                }
            },
            ControllerRoutes.cancelOperation.serve { call in
                try await perform { cluster, now, output throws(Problem) in
                    try cluster.cancelOperation(call.path, now, &output)
                }
            },
        ]
    }
}
