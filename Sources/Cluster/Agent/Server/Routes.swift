// The handlers of the agent's routes (`AgentRoutes`).

import API
import ClusterFile
import Hummingbird
import Model
import Serving

/// Everything that a handler may ask.
struct Routes: Sendable {
    let inventory: VMInventory
    let migrations: Migrations
    let recovery: Recovery
    let auditor: Auditor
    let facts: HostFacts
    let fence: TermFence

    var router: Router<APIContext> {
        get throws {
            let rules = RouteRules(
                document: try OpenAPIDocument(AgentRoutes.table), refusesUnknownQuery: false)
            let router = Router(context: APIContext.self)
            router.middlewares.add(Problems())
            router.middlewares.add(Authorization(cluster: inventory.context.cluster.cluster))
            router.middlewares.add(Fencing(fence: fence))
            router.middlewares.add(RequestLog(frequent: ["/console"]))
            router.middlewares.add(Problems())
            for route in try served(document: rules.document) {
                router.add(route.description) { request, context in
                    try await route.response(to: request, in: context, by: rules)
                }
            }
            return router
        }
    }

    private func served(document: OpenAPIDocument) throws -> [ServedRoute] {
        let general = [
            AgentRoutes.host.serve { _ in try await host() },
            try AgentRoutes.openAPI.serve(document),
        ]
        return general + vmRoutes + consoleRoutes + migrationRoutes + recoveryRoutes
    }

    private func host() async throws -> HostInfo {
        let context = inventory.context
        let memory = try HostMemory.read()
        return HostInfo(
            name: context.name, cluster: context.cluster.cluster, cores: facts.cores,
            memoryBytes: memory.totalBytes, memoryAvailableBytes: memory.availableBytes,
            memoryReserveBytes: context.cluster.memoryReserve.bytes,
            cpuFeatures: facts.cpuFeatures.names, kvm: facts.kvm,
            kernelVersion: facts.kernelVersion, agentVersion: ferryVersion,
            processID: processID, apiAddress: "\(context.member.api)",
            peerAddress: "\(context.member.peer)", vms: await inventory.count)
    }

    private var vmRoutes: [ServedRoute] {
        [
            AgentRoutes.listVMs.serve { _ in await inventory.list() },
            AgentRoutes.createVM.serveReply { call in
                let (info, isNew) = try await inventory.create(call.body)
                return RouteReply(info, status: isNew ? 201 : 200)
            },
            AgentRoutes.restoreVM.serve { call in try await inventory.restore(call.body) },
            AgentRoutes.showVM.serve { call in
                try await inventory.vm(named: call.path).info()
            },
            AgentRoutes.deleteVM.serveNoContent { call in
                try await inventory.delete(call.path, id: call.query.id)
            },
            AgentRoutes.saveVM.serve { call in
                try await inventory.vm(named: call.path).save(call.body)
            },
        ]
            + VMAction.allCases.map { action in
                AgentRoutes.perform(action).serve { call in
                    try await inventory.vm(named: call.path).perform(action)
                }
            }
    }
}
