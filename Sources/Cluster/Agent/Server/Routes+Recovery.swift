// For people who look after the cluster: audits, and VMs that two hosts cannot settle by themselves.

import API
import HTTPTypes
import Hummingbird
import Model
import Serving

extension Routes {
    func addRecovery(to router: Router<APIContext>) {
        router.get("v1/audit") { _, _ in try Response.json(await auditor.audit()) }
        router.get("v1/vms/:name/recovery") { _, context in
            try Response.json(await recovery.info(context.parameters.require("name")))
        }
        router.post("v1/vms/:name/recovery") { request, context in
            let body = try await request.decode(RecoverVM.self)
            let name = try vmName(context)
            return try Response.json(
                await recovery.recover(body, on: name, by: operatorIdentity(context)))
        }
    }

    private func operatorIdentity(_ context: APIContext) throws(Problem) -> Identity {
        guard let identity = context.identity, identity.role != .agent else {
            throw Problem(.forbidden, "only an operator or a controller may recover a VM")
        }
        return identity
    }
}
