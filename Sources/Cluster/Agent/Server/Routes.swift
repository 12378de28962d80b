// The API's paths and what serves them; `API.Paths` lists them with their messages.

import API
import ClusterFile
import HTTPTypes
import Hummingbird
import Model
import Serving

/// Everything that a handler may ask.
struct Routes: Sendable {
    let inventory: VMInventory
    let migrations: Migrations
    let recovery: Recovery
    let auditor: HostChecker
    let facts: HostFacts
    let fence: TermFence

    var router: Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.middlewares.add(Problems())
        router.middlewares.add(Authorization(cluster: inventory.context.cluster.cluster))
        router.middlewares.add(Fencing(fence: fence))
        router.middlewares.add(RequestLog(frequent: ["/console"]))
        router.middlewares.add(Problems())
        router.get("v1/host") { _, _ in try await host() }
        addVMs(to: router)
        addConsole(to: router)
        addMigrations(to: router)
        addRecovery(to: router)
        return router
    }

    private func host() async throws -> Response {
        let context = inventory.context
        let memory = try HostMemory.read()
        return try Response.json(
            HostInfo(
                name: context.name, cluster: context.cluster.cluster, cores: facts.cores,
                memoryBytes: memory.totalBytes, memoryAvailableBytes: memory.availableBytes,
                memoryReserveBytes: context.cluster.memoryReserve.bytes,
                cpuFeatures: facts.cpuFeatures.names, kvm: facts.kvm,
                kernelVersion: facts.kernelVersion, agentVersion: ferryVersion,
                processID: processID, apiAddress: "\(context.member.api)",
                peerAddress: "\(context.member.peer)", vms: await inventory.count))
    }

    private func addVMs(to router: Router<APIContext>) {
        router.get("v1/vms") { _, _ in try Response.json(await inventory.list()) }
        router.post("v1/vms") { request, _ in
            try await create(request.decode(CreateVM.self))
        }
        router.post("v1/vms/restore") { request, _ in
            let restore = try await request.decode(RestoreVM.self)
            return try Response.json(await inventory.restore(restore), status: .created)
        }
        router.get("v1/vms/:name") { _, context in
            try Response.json(await vm(context).info())
        }
        router.delete("v1/vms/:name") { request, context in
            try await inventory.delete(vmName(context), id: wantedID(request))
            return Response(status: .noContent)
        }
        for action in VMAction.allCases {
            router.post("v1/vms/:name/\(action.rawValue)") { _, context in
                try Response.json(await vm(context).perform(action))
            }
        }
        router.post("v1/vms/:name/save") { request, context in
            let save = try await request.decode(SaveVM.self, optional: true)
            return try Response.json(await vm(context).save(save))
        }
    }

    private func create(_ request: CreateVM) async throws -> Response {
        let (info, isNew) = try await inventory.create(request)
        return try Response.json(info, status: isNew ? .created : .ok)
    }

    private func wantedID(_ request: Request) throws(Problem) -> VMID? {
        guard let text = request.uri.queryParameters.get("id") else { return nil }
        guard let id = VMID(text) else {
            throw Problem(.badRequest, "id is '\(text.prefix(40))': use 32 hexadecimal digits")
        }
        return id
    }

    func vmName(_ context: APIContext) throws -> VMName {
        try VMName(context.parameters.require("name"))
    }

    func vm(_ context: APIContext) async throws -> VirtualMachine {
        try await inventory.vm(named: vmName(context))
    }
}
