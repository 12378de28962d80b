// The controller's API: its routes, and what stands around each. `ClusterPaths` lists them with their messages.

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
    let leaders: LeaderBook
    let metrics: ControllerMetrics
    let document: OpenAPIDocument

    package init(
        cluster: ClusterName, name: HostName, policy: String, driver: ClusterDriver,
        store: any StateStore, metrics: ControllerMetrics, document: OpenAPIDocument
    ) {
        self.cluster = cluster
        self.name = name
        self.policy = policy
        self.driver = driver
        self.store = store
        leaders = LeaderBook(store: store)
        self.metrics = metrics
        self.document = document
    }

    package var routes: [Route] {
        clusterRoutes + hostRoutes + vmRoutes + schedulingRoutes + operationRoutes + tokenRoutes
            + agentRoutes + [eventsRoute]
    }

    package var router: Router<APIContext> {
        let routes = routes
        let router = Router(context: APIContext.self)
        router.middlewares.add(Answered(metrics: metrics))
        router.middlewares.add(Problems())
        router.middlewares.add(KnownMethods(routes: routes))
        for route in routes {
            let served = Served(
                route: route, leaders: leaders,
                authorization: Authorization(cluster: cluster, driver: driver))
            router.on(RouterPath(route.path), method: route.method, use: served.respond)
        }
        return router
    }

    /// Runs work on the cluster.
    func perform<Value: Sendable>(
        _ work: @escaping ClusterDriver.Work<Value>
    ) async throws(Problem) -> Value {
        try await driver.perform(work)
    }
}

/// One route with its guard, its line in the log, and the way to the leader.
private struct Served: Sendable {
    let route: Route
    let leaders: LeaderBook
    let authorization: Authorization

    @Sendable func respond(_ request: Request, _ context: APIContext) async throws -> Response {
        var context = context
        do {
            context.caller = try await authorization.caller(
                of: request, context, for: route.needs)
        } catch let problem as Problem where problem.knownCode == .notLeader {
            throw await moved(problem, request)
        }
        return try await RequestLog(frequent: route.isFrequent ? [""] : []).handle(
            request, context: context, next: answered)
    }

    @Sendable private func answered(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        try await Problems().handle(request, context: context, next: handled)
    }

    @Sendable private func handled(
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        do { return try await route.handle(request, context) } catch let problem as Problem
            where problem.knownCode == .notLeader
        {
            throw await moved(problem, request)
        }
    }

    /// Where to ask instead.
    private func moved(_ problem: Problem, _ request: Request) async -> any Error {
        guard let leader = await leaders.current() else { return problem }
        let address = leader.candidate.apiAddress
        return Refusal(
            Problem(.notLeader, "controller \(leader.candidate.name) at \(address) leads"),
            headers: [.location: "https://\(address)\(request.uri.string)"])
    }
}

/// Counts answers by status.
private struct Answered: RouterMiddleware {
    let metrics: ControllerMetrics

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        metrics.answered(response.status.code)
        return response
    }
}
