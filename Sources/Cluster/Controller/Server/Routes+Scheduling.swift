// The scheduler: explanations, balance, maintenance; and the operations that come of it.

import API
import ClusterCore
import HTTPTypes
import Hummingbird
import Model
import Serving

extension ControllerAPI {
    var schedulingRoutes: [Route] {
        [
            Route(.post, ClusterPaths.explain, .viewer, explain),
            Route(.get, ClusterPaths.balance, .viewer, showBalance),
            Route(.patch, ClusterPaths.balance, .operator, updateBalance),
            Route(.post, ClusterPaths.balancePlan, .viewer, planBalance),
            Route(.post, ClusterPaths.balanceRun, .operator, runBalance),
            Route(.post, ClusterPaths.maintenancePlan, .viewer, planMaintenance),
        ]
    }

    var operationRoutes: [Route] {
        [
            Route(.get, "/v1/operations", .viewer, listOperations),
            Route(.get, "/v1/operations/{id}", .viewer, showOperation),
            Route(.delete, "/v1/operations/{id}", .operator, cancelOperation),
        ]
    }

    @Sendable private func explain(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let body = try await request.decode(ExplainPlacement.self, unknownKeys: document)
        return try .json(
            await perform { cluster, now, _ throws(Problem) in try cluster.explain(body) })
    }

    @Sendable private func showBalance(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        return try answer(await perform { cluster, _, _ in cluster.balanceInfo() })
    }

    @Sendable private func updateBalance(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let body = try await body(UpdateBalance.self, of: request)
        return try answer(
            await perform { cluster, now, output throws(Problem) in
                try cluster.updateBalance(body, now, &output)
            })
    }

    private func answer(_ balance: BalanceInfo) throws -> Response {
        try .json(balance, headers: .etag(balance.revision))
    }

    @Sendable private func planBalance(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        return try .json(
            await perform { cluster, now, _ throws(Problem) in try cluster.planBalance(now) })
    }

    @Sendable private func runBalance(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let who = context.who
        return try .json(
            await perform { cluster, now, output throws(Problem) in
                try cluster.runBalance(by: who, now, &output)
            }, status: .accepted)
    }

    @Sendable private func planMaintenance(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let body = try await body(PlanMaintenance.self, of: request)
        return try .json(
            await perform { cluster, now, _ throws(Problem) in
                try cluster.planMaintenance(body, now)
            })
    }

    @Sendable private func listOperations(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        let query = try Query(request, "limit", "after", "state")
        let (limit, after) = (try query.limit, try query.identifier("after"))
        let state = try query.choice("state", as: OperationInfo.State.self)
        return try .json(
            await perform { cluster, _, _ in
                cluster.operations(after: after, limit: limit, state: state)
            })
    }

    @Sendable private func showOperation(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let id = try context.operationID()
        let operation = try await perform { cluster, _, _ throws(Problem) in
            try cluster.operation(id)
        }
        return try .json(operation, headers: .etag(operation.revision))
    }

    @Sendable private func cancelOperation(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        _ = try Query(request)
        let id = try context.operationID()
        return try .json(
            await perform { cluster, now, output throws(Problem) in
                try cluster.cancelOperation(id, now, &output)
            }, status: .accepted)
    }
}
