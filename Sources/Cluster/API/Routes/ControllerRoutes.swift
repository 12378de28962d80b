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
        method: .get, path: "/v1/cluster", id: "showCluster", tag: "cluster", access: .viewer,
        summary: "Shows the cluster as a whole",
        answer: .okAnswer(of: ClusterInfo.self, description: "The cluster."))

    package static let openAPI = Route.openAPIRoute(access: .viewer)

    package static let metrics = ControllerRoute<NoPath, NoContent, NoContent>(
        method: .get, path: "/metrics", id: "readMetrics", tag: "cluster", access: .viewer,
        summary: "Returns metrics for Prometheus",
        answer: .rawAnswer(
            mediaType: "text/plain", description: "Metrics in Prometheus text format 0.0.4."))

    package static let health = ControllerRoute<NoPath, NoContent, NoContent>(
        method: .get, path: "/healthz", id: "readHealth", tag: "cluster", access: .unauthenticated,
        summary: "Shows whether this process is alive",
        answer: .rawAnswer(mediaType: "text/plain", description: "The process is alive."))

    package static let readiness = ControllerRoute<NoPath, NoContent, NoContent>(
        method: .get, path: "/readyz", id: "readReadiness", tag: "cluster",
        access: .unauthenticated,
        summary: "Shows whether this controller leads and answers",
        answer: .rawAnswer(mediaType: "text/plain", description: "This controller leads."),
        errors: [.tooMany, .notLeader, .storeUnavailable])

    package static let events = Route<NoPath, EventsQuery, NoContent, NoContent>(
        method: .get, path: "/v1/events", id: "followEvents", tag: "events", access: .viewer,
        summary:
            "Streams changes as server-sent events: `host`, `vm`, `operation` and `balance` carry what a GET of the object returns, or {\"deleted\": NAME}; `reset` means that earlier changes are no longer known and the client must list everything again",
        answer: .rawAnswer(
            mediaType: "text/event-stream",
            description: "Events, until the client closes the connection."))

    // Tokens

    package static let listTokens = Route<
        NoPath, PageQuery<String>, NoContent, Page<TokenInfo>
    >(
        method: .get, path: "/v1/tokens", id: "listTokens", tag: "tokens", access: .admin,
        summary: "Lists tokens by name",
        answer: .okAnswer(of: Page<TokenInfo>.self, description: "A page of tokens."))

    package static let createToken = ControllerRoute<NoPath, CreateToken, TokenInfo>(
        method: .post, path: "/v1/tokens", id: "createToken", tag: "tokens", access: .admin,
        summary: "Creates a token", body: .requiredJSON(of: CreateToken.self),
        answer: .createdAnswer(of: TokenInfo.self, description: "The token, with its secret."),
        errors: [.nameTaken, .invalid, .tooMany])

    package static let deleteToken = ControllerRoute<TokenName, NoContent, NoContent>(
        method: .delete, path: "/v1/tokens/{name}", id: "deleteToken", tag: "tokens",
        access: .admin,
        summary: "Revokes a token", answer: .emptyAnswer(description: "The token is revoked."),
        errors: [.tokenNotFound])

    // Agents

    package static let registerAgent = ControllerRoute<HostName, HostRegistration, HeartbeatAnswer>(
        method: .put, path: "/v1/agents/{name}", id: "registerAgent", tag: "agents",
        access: .thatAgent,
        summary: "Registers an agent and its host", body: .requiredJSON(of: HostRegistration.self),
        answer: .okAnswer(of: HeartbeatAnswer.self, description: "The agent is registered."),
        errors: [.invalid])

    package static let heartbeat = ControllerRoute<HostName, Heartbeat, HeartbeatAnswer>(
        method: .post, path: "/v1/agents/{name}/heartbeat", id: "heartbeat", tag: "agents",
        access: .thatAgent,
        summary: "Reports the state of a host and its VMs",
        body: .requiredJSON(of: Heartbeat.self, bytesMax: Limits.heartbeatBytesMax),
        answer: .okAnswer(of: HeartbeatAnswer.self, description: "The heartbeat is recorded."),
        errors: [.invalid]
    ).frequent
}

extension Route where Path == NoPath, Query == NoQuery, Body == NoContent, Answer == NoContent {
    static func openAPIRoute(access: RouteAccess) -> Self {
        Route(
            method: .get, path: "/v1/openapi.json", id: "describeAPI", tag: "cluster",
            access: access,
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
