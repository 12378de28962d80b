// VMs and their groups.

import API
import ClusterCore
import Hummingbird
import Model
import Serving

extension ControllerAPI {
    var vmRoutes: [ServedRoute] {
        [
            ControllerRoutes.listVMs.serveAnswer { call in
                try await runOnCluster { cluster, _ in
                    cluster.listVMs(
                        after: call.query.after, limit: call.query.pageLimit,
                        host: call.query.host, state: call.query.state)
                }
            },
            ControllerRoutes.createVM.serveReply { call in
                let vm = try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.createVM(from: call.body, in: &context)
                }
                return RouteReply(
                    vm, headers: [.location: ControllerRoutes.showVM.requestPath(at: vm.name)])
            },
            ControllerRoutes.showVM.serveAnswer { call in
                try await runOnCluster { cluster, _ throws(Problem) in
                    try cluster.clusterVM(named: call.path)
                }
            },
            ControllerRoutes.updateVM.serveAnswer { call in
                let update = try call.body.matchingRevision(ifMatch: call.query.ifMatch)
                return try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.updateVM(named: call.path, applying: update, in: &context)
                }
            },
            ControllerRoutes.deleteVM.serveAnswer { call in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.deleteVM(named: call.path, in: &context)
                }
            },
            ControllerRoutes.migrateVM.serveAnswer { call in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.migrateVM(
                        named: call.path, as: call.body, requestedBy: call.callerName, in: &context)
                }
            },
        ]
    }

    var groupRoutes: [ServedRoute] {
        [
            ControllerRoutes.listGroups.serveAnswer { call in
                try await runOnCluster { cluster, _ in
                    cluster.listGroups(after: call.query.after, limit: call.query.pageLimit)
                }
            },
            ControllerRoutes.deleteGroup.serveNoContent { call in
                try await runOnCluster { cluster, context throws(Problem) in
                    try cluster.deleteGroup(named: call.path.parameterText, in: &context)
                }
            },
        ]
    }
}

extension UpdateClusterVM {
    /// The same change, of the revision that the header If-Match names.
    fileprivate func matchingRevision(ifMatch text: String?) throws(Problem) -> UpdateClusterVM {
        guard let matched = try Self.matchedRevision(inIfMatch: text) else { return self }
        guard revision == nil || revision == matched else {
            throw Problem(
                .revisionMovedOn,
                detail: "If-Match names revision \(matched), and the body another revision")
        }
        var update = self
        update.revision = matched
        return update
    }

    /// The revision that `If-Match` names; nil without one, or for any ("*").
    private static func matchedRevision(inIfMatch text: String?) throws(Problem) -> UInt64? {
        guard let text, text != "*" else { return nil }
        let isQuoted = text.count > 2 && text.hasPrefix("\"") && text.hasSuffix("\"")
        // The meaning is clear without the quotes as well.
        guard let number = UInt64(isQuoted ? text.dropFirst().dropLast() : text[...]) else {
            throw Problem(
                .badRequest,
                detail:
                    "If-Match is '\(text.prefix(40))': use the ETag of a GET, such as \"7\", or *")
        }
        return number
    }
}
