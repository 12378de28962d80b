// Consistency checks, and VMs whose ownership two hosts cannot resolve by themselves.

import API
import Hummingbird
import Model
import Serving

extension Routes {
    var recoveryRoutes: [ServedRoute] {
        [
            AgentRoutes.audit.serveAnswer { _ in await checker.checkHost() },
            AgentRoutes.showRecovery.serveAnswer { call in
                try await recovery.readRecoveryInfo(nameOrID: call.path.parameterText)
            },
            AgentRoutes.recoverVM.serveAnswer { call in
                try await recovery.recoverVM(
                    named: call.path, with: call.body, orderedBy: decidingIdentity(in: call.context)
                )
            },
        ]
    }

    private func decidingIdentity(in context: APIContext) throws(Problem) -> Identity {
        guard let identity = context.identity, identity.role != .agent else {
            throw Problem(
                .forbidden, detail: "only an operator or a controller may decide about a VM")
        }
        return identity
    }
}
