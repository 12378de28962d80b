import API
import Clients
import ClusterCore
import Controller
import Foundation
import HTTPTypes
import Model
import Serving
import Testing

@Suite("The description of the API", .serialized)
struct OpenAPITests {
    @Test("Every route is described, with who may; every described operation is served")
    func routes() async throws {
        let facts = try OpenAPIFacts.load()
        try await TestController.with { controller, _ in
            let words: [RouteAccess: String] = [
                .unauthenticated: "nobody", .viewer: "viewer", .operator: "operator", .admin: "admin",
                .thatAgent: "agent",
            ]
            let routes = try controller.api.routes.map(\.description)
            let served = Set(
                routes.map { "\($0.method.rawValue) \($0.path) \(words[$0.access] ?? "")" })
            let described = Set(facts.operations.map { "\($0.method) \($0.path) \($0.needs)" })
            #expect(served == described)
            #expect(routes.count == described.count)
            #expect(ControllerRoutes.table.routes.count == described.count)
        }
    }

    @Test("The document that is served is the one that the routes make, and says OpenAPI 3.1")
    func document() async throws {
        try await TestController.with { _, client in
            let bytes = try await client.readAPIDocument()
            #expect(try bytes == OpenAPIFacts.bytes())
            #expect(try OpenAPIFacts.load().at("openapi")?.text == "3.1.0")
        }
    }

    @Test("References lead somewhere, and every schema is used")
    func references() throws {
        let facts = try OpenAPIFacts.load()
        var used: Set<String> = []
        func visit(_ value: JSONValue) {
            switch value {
            case .object(let fields):
                if let reference = fields["$ref"]?.text {
                    used.insert(reference)
                    #expect(facts.resolved(value) != .null, "\(reference) leads nowhere")
                }
                fields.values.forEach(visit)
            case .array(let items): items.forEach(visit)
            default: break
            }
        }
        visit(facts.document)
        for kind in ["schemas", "responses"] {
            guard case .object(let things)? = facts.at("components", kind) else { continue }
            for name in things.keys {
                #expect(used.contains("#/components/\(kind)/\(name)"), "\(name) is not used")
            }
        }
    }

    @Test("Words of the API are those of the description")
    func words() throws {
        let facts = try OpenAPIFacts.load()
        func words(_ schema: String, _ property: String) -> Set<String> {
            guard
                case .array(let words)? = facts.at(
                    "components", "schemas", schema, "properties", property, "enum")
            else { return [] }
            return Set(words.compactMap(\.text))
        }
        #expect(words("ClusterVM", "state") == Set(ClusterVMState.allCases.map(\.rawValue)))
        #expect(words("ClusterHost", "state") == Set(HostState.allCases.map(\.rawValue)))
        #expect(
            words("ClusterVMPolicy", "failurePolicy") == Set(FailurePolicy.allCases.map(\.rawValue))
        )
        #expect(
            words("OperationInfo", "state") == Set(OperationInfo.State.allCases.map(\.rawValue)))
        #expect(words("OperationInfo", "kind") == Set(OperationInfo.Kind.allCases.map(\.rawValue)))
        #expect(words("MoveInfo", "state") == Set(MoveInfo.State.allCases.map(\.rawValue)))
        #expect(words("MoveInfo", "plannedFor") == Set(PlannedFor.allCases.map(\.rawValue)))
        #expect(words("BalanceSettings", "mode") == Set(BalanceMode.allCases.map(\.rawValue)))
        #expect(words("CreateToken", "role") == Set(TokenRole.allCases.map(\.rawValue)))
        #expect(words("GroupSpec", "kind") == Set(GroupSpec.Kind.allCases.map(\.rawValue)))
        #expect(words("VMReport", "state") == Set(VMState.allCases.map(\.rawValue)))
        #expect(words("ProgressInfo", "phase") == Set(MigrationPhase.allCases.map(\.rawValue)))
    }

    @Test("Examples are what the API takes")
    func examples() throws {
        let facts = try OpenAPIFacts.load()
        func decode<Value: Codable>(_ type: Value.Type) throws {
            let schema = facts.at("components", "schemas", "\(type)")
            guard case .array(let examples)? = schema?["examples"], let schema else {
                throw TestFailure("\(type) has no example")
            }
            for example in examples {
                #expect(facts.faults(of: example, schema, at: "$").isEmpty)
                _ = try JSONDecoder().decode(type, from: Data(example.jsonText.utf8))
            }
        }
        try decode(CreateClusterVM.self)
        try decode(UpdateClusterVM.self)
        try decode(ExplainPlacement.self)
        try decode(UpdateBalance.self)
        try decode(CreateToken.self)
    }

    @Test("What a controller answers is as described, through a tour of the API")
    func tour() async throws {
        let facts = try OpenAPIFacts.load()
        let store = MemoryStore()
        try await TestController.with(store: store) { controller, _ in
            for host in ["host-a", "host-b", "host-c"] { try await controller.join(host) }
            let vm =
                #"{"name":"web","memoryBytes":1073741824,"vcpus":2,"groups":[{"name":"g","kind":"affinity"}]}"#
            let heartbeat = String(
                decoding: try JSONEncoder().encode(
                    Heartbeat(
                        agentID: .random(), sequence: 9, cpuCores: 1, memoryUsedBytes: 1,
                        vms: [
                            VMReport(
                                id: .random(), name: VMName("stranger"), state: .running, epoch: 1,
                                ownership: .owned, memoryBytes: 1 << 30, vcpus: 1)
                        ])), as: UTF8.self)
            let again = String(decoding: try JSONEncoder().encode(registration()), as: UTF8.self)
            let requests: [(String, String, String, String?)] = [
                ("POST", "/v1/vms", "/v1/vms", vm), ("GET", "/v1/cluster", "/v1/cluster", nil),
                ("GET", "/v1/hosts", "/v1/hosts?limit=2", nil),
                ("GET", "/v1/hosts/{name}", "/v1/hosts/host-a", nil),
                ("DELETE", "/v1/hosts/{name}", "/v1/hosts/host-a", nil),
                ("POST", "/v1/hosts/{name}/drain/plan", "/v1/hosts/host-a/drain/plan", "{}"),
                ("POST", "/v1/hosts/{name}/drain", "/v1/hosts/host-b/drain", nil),
                ("DELETE", "/v1/hosts/{name}/drain", "/v1/hosts/host-b/drain", nil),
                ("POST", "/v1/hosts/{name}/activate", "/v1/hosts/host-b/activate", "{}"),
                (
                    "POST", "/v1/hosts/{name}/fence", "/v1/hosts/host-b/fence",
                    #"{"confirm":"host-b"}"#
                ),
                ("GET", "/v1/vms", "/v1/vms", nil), ("GET", "/v1/vms/{name}", "/v1/vms/web", nil),
                ("PATCH", "/v1/vms/{name}", "/v1/vms/web", #"{"priority":5}"#),
                ("POST", "/v1/vms/{name}/migrate", "/v1/vms/web/migrate", "{}"),
                ("POST", "/v1/placement/explain", "/v1/placement/explain", #"{"vm":"web"}"#),
                (
                    "POST", "/v1/placement/explain", "/v1/placement/explain",
                    #"{"new":{"name":"other","memoryBytes":70368744177664}}"#
                ),
                ("GET", "/v1/groups", "/v1/groups", nil),
                ("DELETE", "/v1/groups/{name}", "/v1/groups/g", nil),
                ("GET", "/v1/balance", "/v1/balance", nil),
                ("PATCH", "/v1/balance", "/v1/balance", #"{"mode":"advise"}"#),
                ("POST", "/v1/balance/plan", "/v1/balance/plan", nil),
                ("POST", "/v1/balance/run", "/v1/balance/run", nil),
                ("POST", "/v1/maintenance/plan", "/v1/maintenance/plan", "{}"),
                ("GET", "/v1/operations", "/v1/operations", nil),
                ("POST", "/v1/tokens", "/v1/tokens", #"{"name":"t","role":"viewer"}"#),
                ("GET", "/v1/tokens", "/v1/tokens", nil),
                ("DELETE", "/v1/tokens/{name}", "/v1/tokens/t", nil),
                ("PUT", "/v1/agents/{name}", "/v1/agents/host-a", again),
                ("POST", "/v1/agents/{name}/heartbeat", "/v1/agents/host-a/heartbeat", heartbeat),
                ("GET", "/v1/hosts/{name}", "/v1/hosts/host-a", nil),
                ("GET", "/v1/openapi.json", "/v1/openapi.json", nil),
                ("GET", "/metrics", "/metrics", nil), ("GET", "/healthz", "/healthz", nil),
                ("GET", "/readyz", "/readyz", nil),
                ("DELETE", "/v1/vms/{name}", "/v1/vms/web", nil),
            ]
            for (method, template, path, body) in requests {
                let isAgents = template.hasPrefix("/v1/agents")
                let answer = try await controller.curl(
                    method, path,
                    as: isAgents
                        ? .keys(controller.cluster.keys(.agent, "host-a"))
                        : controller.operatorIdentity, body: body.map { Data($0.utf8) })
                let faults = try facts.faults(of: answer, to: method, template)
                #expect(faults.isEmpty, "\(method) \(path): \(faults) \(answer.text.prefix(600))")
            }
        }
    }
}

extension JSONValue {
    fileprivate var jsonText: String {
        switch self {
        case .object(let fields):
            "{"
                + fields.map { "\(JSONValue.string($0).jsonText):\($1.jsonText)" }
                .joined(separator: ",") + "}"
        case .array(let items): "[" + items.map(\.jsonText).joined(separator: ",") + "]"
        case .string(let text): "\"\(text)\""
        case .integer(let number): "\(number)"
        case .number(let number):
            number == number.rounded() ? "\(Int64(number))" : "\(number)"
        case .bool(let value): "\(value)"
        case .null: "null"
        }
    }
}
