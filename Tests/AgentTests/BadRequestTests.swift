import API
import Clients
import ClusterFile
import Foundation
import Model
import Testing

@Suite("What an agent says to requests that make no sense", .serialized)
struct BadRequestTests {
    private static let posts = [
        "/v1/vms", "/v1/vms/restore", "/v1/vms/web/save", "/v1/vms/web/recovery", "/v1/migrations",
    ]

    @Test(
        "Every path that takes a body refuses what is no JSON, what is not its JSON, and too much")
    func bodies() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                let huge = [UInt8](repeating: UInt8(ascii: " "), count: (64 << 10) + 1)
                for path in Self.posts {
                    for body in ["{", "[]", #""text""#, "\u{0}", #"{"path":3,"name":4}"#] {
                        await problem(.badRequest) {
                            _ = try await agent.sendRawRequest(
                                method: "POST", path: path, body: Array(body.utf8))
                        }
                    }
                    await problem(.bodyTooLarge) {
                        _ = try await agent.sendRawRequest(method: "POST", path: path, body: huge)
                    }
                }
                await problem(.bodyTooLarge) {
                    try await agent.sendConsoleInput(
                        [UInt8](repeating: 65, count: 4097), to: VMName("web"))
                }
                // None of it did any harm.
                let vms = try await agent.listAllVMs()
                #expect(vms.isEmpty)
            }
        }
    }

    @Test("A body that lacks something says what, and a name that is none says why")
    func fields() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                for (body, named) in [
                    (#"{"name":"web"}"#, "memoryBytes"),
                    (#"{"name":"Web","memoryBytes":1}"#, "lower-case"),
                    (#"{"name":"web","memoryBytes":-1}"#, "JSON"),
                    (#"{"name":"web","memoryBytes":1e30}"#, "JSON"),
                ] {
                    do {
                        _ = try await agent.sendRawRequest(
                            method: "POST", path: "/v1/vms", body: Array(body.utf8))
                        Issue.record("\(body) was taken")
                    } catch ClientError.problem(let problem, _) {
                        #expect(problem.status == 400)
                        #expect(problem.detail.contains(named))
                    }
                }
            }
        }
    }

    @Test("Paths, names and numbers that are not there or cannot be have their own answers")
    func paths() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                let expected: [(String, String, Problem.Code)] =
                    [
                        ("GET", "/", .notFound), ("GET", "/v2/host", .notFound),
                        ("PUT", "/v1/host", .notFound), ("POST", "/v1/vms/web/fly", .notFound),
                        ("GET", "/v1/vms/web", .vmNotFound), ("DELETE", "/v1/vms/web", .vmNotFound),
                        ("GET", "/v1/vms/Web", .badRequest),
                        ("GET", "/v1/vms/..%2f..", .badRequest),
                        ("GET", "/v1/vms/web/log", .vmNotFound),
                        ("GET", "/v1/vms/web/log?tail=-1", .badRequest),
                        ("GET", "/v1/vms/web/log?tail=99999999999999999999", .badRequest),
                        ("GET", "/v1/vms/web/console", .vmNotFound),
                        ("POST", "/v1/vms/web/console", .vmNotFound),
                        ("POST", "/v1/vms/web/save", .vmNotFound),
                        ("GET", "/v1/migrations/zz", .badRequest),
                        (
                            "GET", "/v1/migrations/" + String(repeating: "0", count: 32),
                            .migrationNotFound
                        ),
                        (
                            "DELETE", "/v1/migrations/" + String(repeating: "0", count: 32),
                            .migrationNotFound
                        ),
                        (
                            "GET",
                            "/v1/migrations/" + String(repeating: "0", count: 32) + "/events",
                            .migrationNotFound
                        ),
                    ]
                    + VMAction.allCases.map { ("POST", "/v1/vms/web/\($0.rawValue)", .vmNotFound) }
                for (method, path, code) in expected {
                    await problem(code) {
                        _ = try await agent.sendRawRequest(method: method, path: path)
                    }
                }
            }
        }
    }

    @Test("A migration to nowhere, to here, or of nothing is refused before it begins")
    func migrations() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                func start(_ vm: String, _ host: String, streams: Int? = nil) async throws {
                    _ = try await agent.startMigration(
                        with: StartMigration(vm: VMName(vm), to: HostName(host), streams: streams))
                }
                await problem(.hostUnknown) { try await start("web", "host-z") }
                await problem(.invalid) { try await start("web", "host-a") }
                let migrations = try await agent.migrations()
                #expect(migrations.isEmpty)
            }
        }
    }
}
