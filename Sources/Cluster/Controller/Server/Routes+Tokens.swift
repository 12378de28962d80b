// Tokens: list, create, revoke.

import API
import ClusterCore
import Hummingbird
import Model
import Serving

extension ControllerAPI {
    var tokenRoutes: [ServedRoute] {
        [
            ControllerRoutes.listTokens.serveAnswer { call in
                try await runOnCluster { cluster, _ in
                    cluster.listTokens(after: call.query.after, limit: call.query.pageLimit)
                }
            },
            ControllerRoutes.createToken.serveReply { call in
                let (text, record) = try Token.makeToken(for: call.body, nowMs: Moment.now.wallMs)
                var info = try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.createToken(from: record, in: &context)
                }
                info.token = text
                return RouteReply(info, headers: [.cacheControl: "no-store"])
            },
            ControllerRoutes.deleteToken.serveNoContent { call in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.deleteToken(named: call.path.parameterText, in: &context)
                }
            },
        ]
    }
}
