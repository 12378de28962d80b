// The controller's paths, once for server and client.
//
//   GET    /v1/cluster                       ClusterInfo
//   GET    /v1/hosts?limit&after             Page<ClusterHost>
//   GET    /v1/hosts/NAME                    ClusterHost
//   DELETE /v1/hosts/NAME                    204; forgets a host that is not active and has no VMs
//   POST   /v1/hosts/NAME/drain/plan         DrainHost -> PlanInfo
//   POST   /v1/hosts/NAME/drain              DrainHost -> 202 OperationInfo
//   DELETE /v1/hosts/NAME/drain              ClusterHost; ends the drain, the host is active again
//   POST   /v1/hosts/NAME/activate           ActivateHost -> 202 OperationInfo when VMs are brought back, else 200 ClusterHost
//   POST   /v1/hosts/NAME/fence              FenceHost -> ClusterHost; admins
//   GET    /v1/vms?limit&after&host&state    Page<ClusterVM>
//   POST   /v1/vms                           CreateClusterVM -> 201 ClusterVM
//   GET    /v1/vms/NAME                      ClusterVM, with its revision as ETag
//   PATCH  /v1/vms/NAME                      UpdateClusterVM -> ClusterVM; `revision` or If-Match, 412 when it moved on
//   DELETE /v1/vms/NAME                      202 ClusterVM; gone when its host has ended it
//   POST   /v1/vms/NAME/migrate              MigrateVM -> 202 OperationInfo
//   POST   /v1/placement/explain             ExplainPlacement -> PlacementAnswer
//   GET    /v1/groups?limit&after            Page<GroupInfo>
//   DELETE /v1/groups/NAME                   204; 409 while it has members
//   GET    /v1/balance                       BalanceInfo
//   PATCH  /v1/balance                       UpdateBalance -> BalanceInfo
//   POST   /v1/balance/plan                  -> PlanInfo
//   POST   /v1/balance/run                   -> 202 OperationInfo; 409 while one runs
//   POST   /v1/maintenance/plan              PlanMaintenance -> MaintenancePlanInfo
//   GET    /v1/operations?limit&after&state  Page<OperationInfo>, the newest first
//   GET    /v1/operations/ID                 OperationInfo
//   DELETE /v1/operations/ID                 202 OperationInfo; asks it to end
//   GET    /v1/events                        server-sent events: `host`, `vm`, `operation`, `reset`; resumes by Last-Event-ID
//   GET    /v1/tokens, POST, DELETE /NAME    Page<TokenInfo>, CreateToken -> 201 TokenInfo, 204; admins
//   PUT    /v1/agents/NAME                   HostRegistration -> HeartbeatAnswer; that agent only
//   POST   /v1/agents/NAME/heartbeat         Heartbeat -> HeartbeatAnswer; that agent only
//   GET    /v1/openapi.json                  the description of all this
//   GET    /metrics, /healthz, /readyz       for Prometheus, for service managers; no identity is asked for at the last two
//
// A controller that does not lead answers 503 `not_leader`, with the leader's address in `Location` where it is known.

package import Model

package enum ClusterPaths {
    package static let cluster = "/v1/cluster"
    package static let hosts = "/v1/hosts"
    package static let vms = "/v1/vms"
    package static let groups = "/v1/groups"
    package static let operations = "/v1/operations"
    package static let events = "/v1/events"
    package static let tokens = "/v1/tokens"
    package static let explain = "/v1/placement/explain"
    package static let balance = "/v1/balance"
    package static let balancePlan = "/v1/balance/plan"
    package static let balanceRun = "/v1/balance/run"
    package static let maintenancePlan = "/v1/maintenance/plan"
    package static let openAPI = "/v1/openapi.json"
    package static let metrics = "/metrics"

    package static func host(_ name: HostName) -> String { "\(hosts)/\(name)" }
    package static func drain(_ name: HostName) -> String { "\(host(name))/drain" }
    package static func drainPlan(_ name: HostName) -> String { "\(host(name))/drain/plan" }
    package static func activate(_ name: HostName) -> String { "\(host(name))/activate" }
    package static func fence(_ name: HostName) -> String { "\(host(name))/fence" }
    package static func vm(_ name: VMName) -> String { "\(vms)/\(name)" }
    package static func migrate(_ name: VMName) -> String { "\(vm(name))/migrate" }
    package static func operation(_ id: OperationID) -> String { "\(operations)/\(id)" }
    package static func group(_ name: String) -> String { "\(groups)/\(name)" }
    package static func token(_ name: String) -> String { "\(tokens)/\(name)" }
    package static func agent(_ name: HostName) -> String { "/v1/agents/\(name)" }
    package static func heartbeat(_ name: HostName) -> String { "\(agent(name))/heartbeat" }
}
