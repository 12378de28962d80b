import API
import Foundation
import Model
import Testing

@Suite("Routes and the documents that they make")
struct RouteTests {
    private static let tables = [ControllerRoutes.table, AgentRoutes.table]

    private func document(_ table: RouteTable) throws -> JSONValue {
        try JSONDecoder().decode(
            JSONValue.self, from: JSONEncoder().encode(OpenAPIDocument(table).json))
    }

    @Test(
        "Each server has a document of OpenAPI 3.1 that describes every route", arguments: [0, 1])
    func complete(_ index: Int) throws {
        let table = Self.tables[index]
        let document = try document(table)
        #expect(document["openapi"] == "3.1.0")
        for route in table.routes {
            let operation = document["paths"]?[route.path]?[route.method.rawValue.lowercased()]
            #expect(operation?["operationId"] == .string(route.id), "\(route.id)")
            #expect(operation?["x-ferry-needs"] == .string(route.access.rawValue))
            for answer in route.answers {
                #expect(operation?["responses"]?["\(answer.status)"] != nil, "\(route.id)")
            }
        }
        #expect(Set(table.routes.map(\.id)).count == table.routes.count)
        #expect(
            Set(table.routes.map { "\($0.method) \($0.path)" }).count == table.routes.count)
    }

    @Test("References lead somewhere, and every component is used", arguments: [0, 1])
    func references(_ index: Int) throws {
        let document = try document(Self.tables[index])
        var used: Set<String> = []
        func visit(_ value: JSONValue) {
            switch value {
            case .object(let fields):
                if case .string(let reference)? = fields["$ref"] { used.insert(reference) }
                fields.values.forEach(visit)
            case .array(let items): items.forEach(visit)
            default: break
            }
        }
        visit(document)
        var known: Set<String> = []
        for kind in ["schemas", "responses"] {
            guard case .object(let things)? = document["components"]?[kind] else {
                Issue.record("no \(kind)")
                continue
            }
            known.formUnion(things.keys.map { "#/components/\(kind)/\($0)" })
        }
        #expect(used == known)
    }

    @Test("Every schema, property, parameter and answer has a sentence", arguments: [0, 1])
    func sentences(_ index: Int) throws {
        let document = try document(Self.tables[index])
        guard case .object(let schemas)? = document["components"]?["schemas"] else {
            Issue.record("no schemas")
            return
        }
        for (name, schema) in schemas {
            #expect(schema["description"]?.isSentence == true, "\(name)")
            guard case .object(let properties)? = schema["properties"] else { continue }
            for (property, described) in properties {
                #expect(described["description"]?.isSentence == true, "\(name).\(property)")
            }
        }
    }

    @Test("Required, optional and nullable properties are those of the types")
    func optionality() throws {
        let schemas = try document(ControllerRoutes.table)["components"]?["schemas"]
        #expect(schemas?["DrainHost"]?["properties"]?["parallel"]?["type"] == ["integer", "null"])
        #expect(schemas?["DrainHost"]?["required"] == nil)
        #expect(schemas?["DrainHost"]?["additionalProperties"] == false)
        #expect(schemas?["ClusterVM"]?["properties"]?["reason"]?["type"] == "string")
        guard case .array(let required)? = schemas?["ClusterVM"]?["required"] else {
            Issue.record("nothing is required")
            return
        }
        #expect(required.contains("revision") && !required.contains("reason"))
    }

    @Test("A request has the path, the query and the headers that its route describes")
    func requests() throws {
        let name = try VMName("web")
        #expect(AgentRoutes.showVM.requestPath(at: name) == "/v1/vms/web")
        #expect(AgentRoutes.actionRoute(for: .pause).requestPath(at: name) == "/v1/vms/web/pause")
        let id = VMID.random()
        #expect(
            AgentRoutes.deleteVM.requestPath(at: name, query: DeleteVMQuery(id: id))
                == "/v1/vms/web?id=\(id)")
        #expect(
            ControllerRoutes.listGroups.requestPath(query: PageQuery(limit: 2, after: "a/b c&d"))
                == "/v1/groups?limit=2&after=a%2Fb%20c%26d")
        #expect(
            ControllerRoutes.deleteGroup.requestPath(at: GroupName(parameter: "ä/."))
                == "/v1/groups/%C3%A4%2F.")
        var query = UpdateVMQuery()
        query.ifMatch = "\"7\""
        let request = ControllerRoutes.updateVM.makeRequest(
            at: name, query: query, body: UpdateClusterVM())
        #expect(request.method == .patch && request.path == "/v1/vms/web")
        #expect(request.headers.map(\.name) == ["If-Match"])
    }

    @Test("A property that a strict request does not have is found wherever it is")
    func unknownProperties() throws {
        let document = try OpenAPIDocument(ControllerRoutes.table)
        let body: JSONValue = ["new": ["name": "a", "groups": [["name": "g", "knd": "x"]]]]
        #expect(
            document.unknownProperty(in: body, of: ExplainPlacement.self) == "new.groups.knd")
        #expect(document.unknownProperty(in: ["vm": "a"], of: ExplainPlacement.self) == nil)
        #expect(document.unknownProperty(in: ["more": 1], of: Heartbeat.self) == nil)
    }

    @Test("Activating a host answers with the host or with an operation")
    func activation() throws {
        let estimate = Estimate(low: 0, expected: 0, high: 0)
        let operation = OperationInfo(
            id: .random(), revision: 1, kind: .bringBack, state: .running, host: nil,
            startedAtMs: 0, startedBy: "x",
            plan: PlanInfo(moves: [], left: [], waves: 0, seconds: estimate), movesDone: 0)
        let text = try JSONEncoder().encode(ActivatedHost.bringingBack(operation))
        #expect(
            try JSONDecoder().decode(ActivatedHost.self, from: text) == .bringingBack(operation))
        #expect(try JSONDecoder().decode(OperationInfo.self, from: text) == operation)
    }
}

extension JSONValue {
    fileprivate var isSentence: Bool {
        if case .string(let text) = self { text.count > 3 } else { false }
    }
}
