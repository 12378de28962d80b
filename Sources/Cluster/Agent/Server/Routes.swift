// The handlers of the agent's routes (`AgentRoutes`).

import API
import ClusterFile
import Hummingbird
import Model
import Serving

/// The parts of the agent that the handlers use.
struct Routes: Sendable {
    let inventory: VMInventory
    let migrations: OutgoingMigrations
    let recovery: RecoveryService
    let checker: HostChecker
    let facts: HostFacts
    let fence: TermFence

    var router: Router<APIContext> {
        get throws {
            let rules = RouteRules(
                document: try OpenAPIDocument(AgentRoutes.table), refusesUnknownQuery: false)
            let router = Router(context: APIContext.self)
            router.middlewares.add(ProblemMiddleware())
            router.middlewares.add(
                AuthorizationMiddleware(cluster: inventory.context.cluster.cluster))
            router.middlewares.add(FencingMiddleware(fence: fence))
            router.middlewares.add(RequestLogMiddleware(frequent: ["/console"]))
            router.middlewares.add(ProblemMiddleware())
            for route in try servedRoutes(document: rules.document) {
                router.addRoute(route.description) { request, context in
                    try await route.makeResponse(to: request, in: context, by: rules)
                }
            }
            return router
        }
    }

    private func servedRoutes(document: OpenAPIDocument) throws -> [ServedRoute] {
        let general = [
            AgentRoutes.host.serveAnswer { _ in try await readHostInfo() },
            try AgentRoutes.openAPI.serveDocument(document),
        ]
        return general + vmRoutes + consoleRoutes + migrationRoutes + recoveryRoutes
    }

    private func readHostInfo() async throws -> HostInfo {
        let context = inventory.context
        let memory = try HostMemory.readFromProc()
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
            AgentRoutes.listVMs.serveAnswer { _ in await inventory.listAllVMs() },
            AgentRoutes.createVM.serveReply { call in
                let (info, isNew) = try await inventory.createVM(with: call.body)
                return RouteReply(info, status: isNew ? 201 : 200)
            },
            AgentRoutes.restoreVM.serveAnswer { call in
                try await inventory.restoreVM(with: call.body)
            },
            AgentRoutes.showVM.serveAnswer { call in
                try await inventory.virtualMachine(named: call.path).readCurrentInfo()
            },
            AgentRoutes.deleteVM.serveNoContent { call in
                try await inventory.deleteVM(named: call.path, id: call.query.id)
            },
            AgentRoutes.saveVM.serveAnswer { call in
                try await inventory.virtualMachine(named: call.path).saveToFile(with: call.body)
            },
        ]
            + VMAction.allCases.map { action in
                AgentRoutes.actionRoute(for: action).serveAnswer { call in
                    try await inventory.virtualMachine(named: call.path).performAction(action)
                }
            }
    }
}
