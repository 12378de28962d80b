// The controller's API: its routes (`ControllerRoutes`), and what stands around each.

import API
package import ClusterCore
import HTTPTypes
package import Hummingbird
import Logging
package import Model
package import Serving

package struct ControllerAPI: Sendable {
    let cluster: ClusterName
    let name: HostName
    let policy: String
    let driver: ClusterDriver
    let store: any StateStore
    let leaders: LeaderCache
    let metrics: ControllerMetrics
    let rules: RouteRules

    package init(
        cluster: ClusterName, name: HostName, policy: String, driver: ClusterDriver,
        store: any StateStore, metrics: ControllerMetrics
    ) throws {
        self.cluster = cluster
        self.name = name
        self.policy = policy
        self.driver = driver
        self.store = store
        leaders = LeaderCache(store: store)
        self.metrics = metrics
        rules = RouteRules(
            document: try OpenAPIDocument(ControllerRoutes.table), refusesUnknownQuery: true)
    }

    package var routes: [ServedRoute] {
        get throws {
            try clusterRoutes + hostRoutes + maintenanceRoutes + vmRoutes + groupRoutes
                + schedulingRoutes + operationRoutes + tokenRoutes + agentRoutes + [eventsRoute]
        }
    }

    package var router: Router<APIContext> {
        get throws {
            let routes = try routes
            let router = Router(context: APIContext.self)
            router.middlewares.add(ResponseCounter(metrics: metrics))
            router.middlewares.add(ProblemMiddleware())
            router.middlewares.add(MethodNotAllowedMiddleware(routes: routes.map(\.description)))
            for route in routes {
                let guarded = GuardedRoute(
                    route: route, rules: rules, leaders: leaders,
                    authorization: Authorization(cluster: cluster, driver: driver))
                router.addRoute(route.description, handler: guarded.guardedResponse)
            }
            return router
        }
    }

    /// Runs work on the cluster.
    func runOnCluster<Value: Sendable>(
        body work: @escaping ClusterDriver.Work<Value>
    ) async throws(Problem) -> Value {
        try await driver.runOnCluster(body: work)
    }
}

/// One route with its authorization, its line in the log, and the redirection to the leader.
private struct GuardedRoute: Sendable {
    let route: ServedRoute
    let rules: RouteRules
    let leaders: LeaderCache
    let authorization: Authorization

    @Sendable func guardedResponse(to request: Request, context: APIContext) async throws
        -> Response
    {
        var context = context
        do {
            context.caller = try await authorization.authorizedCaller(
                of: request, in: context, for: route.description.access)
        } catch let problem as Problem where problem.knownCode == .notLeader {
            throw await redirection(of: request, after: problem)
        }
        return try await RequestLogMiddleware(frequent: route.description.isFrequent ? [""] : [])
            .handle(
                request, context: context, next: authorizedResponse)
    }

    @Sendable private func authorizedResponse(
        to request: Request, context: APIContext
    ) async throws -> Response {
        try await ProblemMiddleware().handle(request, context: context, next: responseWithProblems)
    }

    @Sendable private func responseWithProblems(
        to request: Request, context: APIContext
    ) async throws -> Response {
        do {
            return try await route.makeResponse(to: request, in: context, by: rules)
        } catch let problem as Problem
            where problem.knownCode == .notLeader
        {
            throw await redirection(of: request, after: problem)
        }
    }

    /// The refusal with the address of the leader, where it is known.
    private func redirection(
        of request: Request, after problem: Problem
    ) async -> any Error {
        guard let leader = await leaders.currentLeader() else { return problem }
        let address = leader.candidate.apiAddress
        return Refusal(
            Problem(.notLeader, detail: "controller \(leader.candidate.name) at \(address) leads"),
            headers: [.location: "https://\(address)\(request.uri.string)"])
    }
}

/// Counts answers by status.
private struct ResponseCounter: RouterMiddleware {
    let metrics: ControllerMetrics

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        metrics.recordResponse(status: response.status.code)
        return response
    }
}
