// The routes of a controller.
//
// A controller that does not lead answers 503 `not_leader`, with the leader's address in `Location` where it is known.

package import Model

package typealias ControllerRoute<
    Path: PathParameter, Body: Codable & Sendable,
    Answer: Codable & Sendable
> = Route<Path, NoQuery, Body, Answer>

package enum ControllerRoutes {
    // The cluster

    package static let cluster = ControllerRoute<NoPath, NoContent, ClusterInfo>(
        .get, "/v1/cluster", id: "showCluster", tag: "cluster", access: .viewer,
        summary: "Shows the cluster as a whole",
        answer: .ok(ClusterInfo.self, "The cluster."))

    package static let openAPI = Route.openAPI(access: .viewer)

    package static let metrics = ControllerRoute<NoPath, NoContent, NoContent>(
        .get, "/metrics", id: "readMetrics", tag: "cluster", access: .viewer,
        summary: "Returns metrics for Prometheus",
        answer: .raw("text/plain", "Metrics in Prometheus text format 0.0.4."))

    package static let health = ControllerRoute<NoPath, NoContent, NoContent>(
        .get, "/healthz", id: "readHealth", tag: "cluster", access: .nobody,
        summary: "Shows whether this process is alive",
        answer: .raw("text/plain", "The process is alive."))

    package static let readiness = ControllerRoute<NoPath, NoContent, NoContent>(
        .get, "/readyz", id: "readReadiness", tag: "cluster", access: .nobody,
        summary: "Shows whether this controller leads and answers",
        answer: .raw("text/plain", "This controller leads."),
        errors: [.tooMany, .notLeader, .storeUnavailable])

    package static let events = Route<NoPath, EventsQuery, NoContent, NoContent>(
        .get, "/v1/events", id: "followEvents", tag: "events", access: .viewer,
        summary:
            "Streams changes as server-sent events: `host`, `vm`, `operation` and `balance` carry what a GET of the object returns, or {\"deleted\": NAME}; `reset` means that earlier changes are no longer known and the client must list everything again",
        answer: .raw("text/event-stream", "Events, until the client closes the connection."))

    // Tokens

    package static let listTokens = Route<
        NoPath, PageQuery<String>, NoContent, Page<TokenInfo>
    >(
        .get, "/v1/tokens", id: "listTokens", tag: "tokens", access: .admin,
        summary: "Lists tokens by name", answer: .ok(Page<TokenInfo>.self, "A page of tokens."))

    package static let createToken = ControllerRoute<NoPath, CreateToken, TokenInfo>(
        .post, "/v1/tokens", id: "createToken", tag: "tokens", access: .admin,
        summary: "Creates a token", body: .json(CreateToken.self),
        answer: .created(TokenInfo.self, "The token, with its secret."),
        errors: [.nameTaken, .invalid, .tooMany])

    package static let deleteToken = ControllerRoute<TokenName, NoContent, NoContent>(
        .delete, "/v1/tokens/{name}", id: "deleteToken", tag: "tokens", access: .admin,
        summary: "Revokes a token", answer: .noContent("The token is revoked."),
        errors: [.tokenNotFound])

    // Agents

    package static let registerAgent = ControllerRoute<HostName, HostRegistration, HeartbeatAnswer>(
        .put, "/v1/agents/{name}", id: "registerAgent", tag: "agents", access: .thatAgent,
        summary: "Registers an agent and its host", body: .json(HostRegistration.self),
        answer: .ok(HeartbeatAnswer.self, "The agent is registered."), errors: [.invalid])

    package static let heartbeat = ControllerRoute<HostName, Heartbeat, HeartbeatAnswer>(
        .post, "/v1/agents/{name}/heartbeat", id: "heartbeat", tag: "agents", access: .thatAgent,
        summary: "Reports the state of a host and its VMs",
        body: .json(Heartbeat.self, bytesMax: Limits.heartbeatBytesMax),
        answer: .ok(HeartbeatAnswer.self, "The heartbeat is recorded."), errors: [.invalid]
    ).frequent
}

extension Route where Path == NoPath, Query == NoQuery, Body == NoContent, Answer == NoContent {
    static func openAPI(access: RouteAccess) -> Self {
        Route(
            .get, "/v1/openapi.json", id: "describeAPI", tag: "cluster", access: access,
            summary: "Returns this document",
            answer: RouteAnswer(status: 200, description: "The document.", content: .anyJSON))
    }
}

extension ControllerRoutes {
    /// Every route of a controller.
    package static let table = RouteTable(
        title: "Ferry cluster",
        text:
            "The API of the controller. Lists are paged. A change can name the revision that it is based on. Long-running work is an operation. Errors are application/problem+json with a stable `code`.",
        tags: [
            "cluster", "hosts", "vms", "scheduling", "operations", "events", "tokens", "agents",
        ], server: .controller,
        routes: [
            cluster.description, openAPI.description, metrics.description, health.description,
            readiness.description, listHosts.description, showHost.description,
            forgetHost.description, planDrain.description, drainHost.description,
            endDrain.description, activateHost.description, fenceHost.description,
            listVMs.description, createVM.description, showVM.description, updateVM.description,
            deleteVM.description, migrateVM.description, listGroups.description,
            deleteGroup.description, explainPlacement.description, showBalance.description,
            updateBalance.description, planBalance.description, runBalance.description,
            planMaintenance.description, listOperations.description, showOperation.description,
            cancelOperation.description, events.description, listTokens.description,
            createToken.description, deleteToken.description, registerAgent.description,
            heartbeat.description,
        ])
}
