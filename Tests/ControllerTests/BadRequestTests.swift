import API
import Clients
import ClusterCore
import Controller
import Foundation
import HTTPTypes
import Model
import Serving
import Testing

@Suite("What a controller says to requests that make no sense", .serialized)
struct BadRequestTests {
    private static let zeros = String(repeating: "0", count: 32)

    private static func path(_ route: RouteDescription) -> String {
        route.path.replacing("{name}", with: "host-a").replacing("{id}", with: zeros)
    }

    private static func identity(
        _ route: RouteDescription, _ controller: TestController
    ) -> TestController.Identity {
        route.access == .thatAgent
            ? .keys(controller.cluster.keys(.agent, "host-a")) : controller.operatorIdentity
    }

    @Test(
        "Every path that takes a body refuses what is no JSON, what is not its JSON, and too much")
    func bodies() async throws {
        try await TestController.with { controller, admin in
            let withBody = try OpenAPIFacts.load().operations.filter(\.takesBody)
            #expect(withBody.count == 13)
            for operation in withBody {
                let route = try #require(
                    controller.api.routes.map(\.description).first {
                        $0.path == operation.path && $0.method.rawValue == operation.method
                    })
                let (path, identity) = (Self.path(route), Self.identity(route, controller))
                for body in [
                    "{", "[]", #""text""#, "\u{0}", "null", "\u{FEFF}{", #"{"a":1,}"#, "{}{}",
                    String(repeating: "[", count: 5000),
                ] {
                    let answer = try await controller.curl(
                        operation.method, path, as: identity, body: Data(body.utf8))
                    #expect(
                        answer.problem?.knownCode == .badRequest,
                        "\(operation.method) \(path) \(body.prefix(20)): \(answer.text)")
                }
                let notText = try await controller.curl(
                    operation.method, path, as: identity, body: Data([0x22, 0xFF, 0xFE, 0x22]))
                #expect(notText.problem?.knownCode == .badRequest)
                let limit =
                    operation.path.hasSuffix("heartbeat")
                    ? API.Limits.heartbeatBytesMax : API.Limits.bodyBytesMax
                let huge = try await controller.curl(
                    operation.method, path, as: identity,
                    body: Data(repeating: UInt8(ascii: " "), count: limit + 1))
                #expect(huge.problem?.knownCode == .bodyTooLarge, "\(path): \(huge.text)")
            }
            // None of it did any harm.
            #expect(try await admin.listClusterVMs().items.isEmpty)
            #expect(try await admin.listHosts().items.isEmpty)
        }
    }

    @Test("A property that is not known is refused by name, also deep inside")
    func unknownProperties() async throws {
        try await TestController.with { controller, admin in
            for (path, body, named) in [
                ("/v1/vms", #"{"name":"web","memoryBytes":1073741824,"priorty":1}"#, "priorty"),
                (
                    "/v1/vms",
                    #"{"name":"web","memoryBytes":1073741824,"groups":[{"name":"g","kind":"affinity","x":0}]}"#,
                    "groups.x"
                ),
                (
                    "/v1/placement/explain",
                    #"{"new":{"name":"web","memoryBytes":1073741824,"y":null}}"#, "new.y"
                ),
                ("/v1/tokens", #"{"name":"t","role":"viewer","token":"mine"}"#, "token"),
            ] {
                let answer = try await controller.curl(
                    "POST", path, as: controller.operatorIdentity, body: Data(body.utf8))
                #expect(answer.problem?.knownCode == .badRequest)
                #expect(answer.problem?.detail.contains("'\(named)'") == true, "\(answer.text)")
            }
            #expect(try await admin.listClusterVMs().items.isEmpty)
        }
    }

    @Test("Agents may say more than this controller knows")
    func newerAgents() async throws {
        try await TestController.with { controller, _ in
            var text = String(
                decoding: try JSONEncoder().encode(registration()), as: UTF8.self)
            text.removeLast()
            let answer = try await controller.curl(
                "PUT", "/v1/agents/host-a", as: .keys(controller.cluster.keys(.agent, "host-a")),
                body: Data((text + #","news":[1,2]}"#).utf8))
            #expect(answer.status == 200)
        }
    }

    @Test("Paths and methods that are not there, and words that cannot be, have their own answers")
    func paths() async throws {
        try await TestController.with { controller, _ in
            let long = String(repeating: "a", count: 3000)
            let expected: [(String, String, Problem.Code)] = [
                ("GET", "/", .notFound), ("GET", "/v2/hosts", .notFound),
                ("GET", "/v1/hosts/a/b/c", .notFound), ("PUT", "/v1/hosts", .methodNotAllowed),
                ("TRACE", "/v1/vms/web", .methodNotAllowed),
                ("GET", "/v1/vms/Web", .badRequest), ("GET", "/v1/vms/..%2f..", .badRequest),
                ("GET", "/v1/vms/%zz", .badRequest), ("GET", "/v1/vms/%f", .badRequest),
                ("GET", "/v1/vms/%ff%fe", .badRequest), ("GET", "/v1/vms/%00", .badRequest),
                ("GET", "/v1/vms/\(long)", .badRequest), ("GET", "/v1/hosts/\(long)", .badRequest),
                ("DELETE", "/v1/groups/%ff", .badRequest),
                ("DELETE", "/v1/groups/\(long)", .groupNotFound),
                ("DELETE", "/v1/tokens/%F0%9F%9A%A2", .tokenNotFound),
                ("GET", "/v1/vms/%77eb", .vmNotFound), ("GET", "/v1/vms/web", .vmNotFound),
                ("DELETE", "/v1/vms/web", .vmNotFound),
                ("POST", "/v1/vms/web/migrate", .vmNotFound),
                ("PATCH", "/v1/vms/web", .vmNotFound),
                ("GET", "/v1/hosts/host-z", .hostNotFound),
                ("DELETE", "/v1/hosts/host-z", .hostNotFound),
                ("POST", "/v1/hosts/host-z/drain", .hostNotFound),
                ("POST", "/v1/hosts/host-z/drain/plan", .hostNotFound),
                ("DELETE", "/v1/hosts/host-z/drain", .hostNotFound),
                ("POST", "/v1/hosts/host-z/activate", .hostNotFound),
                ("GET", "/v1/operations/zz", .badRequest),
                ("GET", "/v1/operations/\(Self.zeros)", .operationNotFound),
                ("DELETE", "/v1/operations/\(Self.zeros)", .operationNotFound),
                ("GET", "/v1/vms?limit=0", .badRequest), ("GET", "/v1/vms?limit=1001", .badRequest),
                ("GET", "/v1/vms?limit=99999999999999999999", .badRequest),
                ("GET", "/v1/vms?limit=+1", .badRequest), ("GET", "/v1/vms?limit=", .badRequest),
                ("GET", "/v1/vms?limit=1&limit=2", .badRequest),
                ("GET", "/v1/vms?after=B%20c", .badRequest),
                ("GET", "/v1/vms?state=happy", .badRequest), ("GET", "/v1/vms?%ff=1", .badRequest),
                ("GET", "/v1/vms?after=%zz", .badRequest), ("GET", "/v1/vms?all", .badRequest),
                ("GET", "/v1/groups?after=\(long)", .badRequest),
                ("GET", "/v1/operations?after=x", .badRequest),
                ("GET", "/v1/operations?state=", .badRequest),
                ("GET", "/v1/events?after=-1", .badRequest),
                ("GET", "/v1/cluster?x=1", .badRequest),
            ]
            for (method, path, code) in expected {
                let answer = try await controller.curl(
                    method, path, as: controller.operatorIdentity)
                #expect(
                    answer.problem?.knownCode == code && answer.status == code.status,
                    "\(method) \(path.prefix(60)): \(answer.status) \(answer.text)")
                #expect(answer.headers["content-type"] == Problem.mediaType)
            }
        }
    }

    @Test("A method that a path does not take is answered with those that it takes")
    func allowed() async throws {
        try await TestController.with { controller, _ in
            let answer = try await controller.curl(
                "POST", "/v1/vms/web", as: controller.operatorIdentity)
            #expect(answer.status == 405)
            #expect(answer.headers["allow"] == "GET, PATCH, DELETE")
        }
    }
}
