// VMs and their groups.

import API
import ClusterCore
import HTTPTypes
import Hummingbird
import Model
import Serving

extension ControllerAPI {
    var vmRoutes: [Route] {
        [
            Route(.get, "/v1/vms", .viewer, listVMs),
            Route(.post, "/v1/vms", .operator, createVM),
            Route(.get, "/v1/vms/{name}", .viewer, showVM),
            Route(.patch, "/v1/vms/{name}", .operator, updateVM),
            Route(.delete, "/v1/vms/{name}", .operator, deleteVM),
            Route(.post, "/v1/vms/{name}/migrate", .operator, migrateVM),
            Route(.get, "/v1/groups", .viewer, listGroups),
            Route(.delete, "/v1/groups/{name}", .operator, deleteGroup),
        ]
    }

    @Sendable private func listVMs(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        let query = try Query(request, "limit", "after", "host", "state")
        let (limit, after) = (try query.limit, try query.name("after", as: VMName.self))
        let host = try query.name("host", as: HostName.self)
        let state = try query.choice("state", as: ClusterVMState.self)
        return try .json(
            await perform { cluster, _, _ in
                cluster.vms(after: after, limit: limit, host: host, state: state)
            })
    }

    @Sendable private func createVM(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let body = try await request.decode(CreateClusterVM.self, unknownKeys: document)
        let vm = try await perform { cluster, now, output throws(Problem) in
            try cluster.createVM(body, now, &output)
        }
        return try .json(
            vm, status: .created,
            headers: [.location: ClusterPaths.vm(vm.name), .eTag: "\"\(vm.revision)\""])
    }

    @Sendable private func showVM(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let name = try context.vmName()
        return try answer(await perform { cluster, _, _ throws(Problem) in try cluster.vm(name) })
    }

    @Sendable private func updateVM(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let name = try context.vmName()
        let update = try await update(request)
        return try answer(
            await perform { cluster, now, output throws(Problem) in
                try cluster.updateVM(name, update, now, &output)
            })
    }

    private func update(_ request: Request) async throws -> UpdateClusterVM {
        let matched = try request.revisionMatched()
        var body = try await body(UpdateClusterVM.self, of: request)
        if let matched {
            guard body.revision == nil || body.revision == matched else {
                throw Problem(
                    .revisionMovedOn, "If-Match names revision \(matched), the body another one")
            }
            body.revision = matched
        }
        return body
    }

    @Sendable private func deleteVM(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let name = try context.vmName()
        return try .json(
            await perform { cluster, now, output throws(Problem) in
                try cluster.deleteVM(name, now, &output)
            }, status: .accepted)
    }

    @Sendable private func migrateVM(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let name = try context.vmName()
        let body = try await body(MigrateVM.self, of: request)
        let who = context.who
        return try .json(
            await perform { cluster, now, output throws(Problem) in
                try cluster.migrateVM(name, body, by: who, now, &output)
            }, status: .accepted)
    }

    private func answer(_ vm: ClusterVM) throws -> Response {
        try .json(vm, headers: .etag(vm.revision))
    }

    @Sendable private func listGroups(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        let query = try Query(request, "limit", "after")
        let (limit, after) = (try query.limit, query.text("after"))
        return try .json(
            await perform { cluster, _, _ in cluster.groups(after: after, limit: limit) })
    }

    @Sendable private func deleteGroup(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let name = try context.word("name")
        try await perform { cluster, now, output throws(Problem) in
            try cluster.deleteGroup(name, now, &output)
        }
        return Response(status: .noContent)
    }
}
