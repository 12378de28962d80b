// Consistency checks, and VMs whose ownership two hosts cannot resolve by themselves.

import API
import Hummingbird
import Model
import Serving

extension Routes {
    var recoveryRoutes: [ServedRoute] {
        [
            AgentRoutes.audit.serve { _ in await auditor.audit() },
            AgentRoutes.showRecovery.serve { call in
                try await recovery.info(call.path.parameterText)
            },
            AgentRoutes.recoverVM.serve { call in
                try await recovery.recover(
                    call.body, on: call.path, by: decidingIdentity(in: call.context))
            },
        ]
    }

    private func decidingIdentity(in context: APIContext) throws(Problem) -> Identity {
        guard let identity = context.identity, identity.role != .agent else {
            throw Problem(
                .forbidden, "only an operator or a controller may decide about a VM")
        }
        return identity
    }
}
