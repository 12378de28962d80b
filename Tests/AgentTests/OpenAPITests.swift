import API
import Clients
import Foundation
import Model
import Testing

@Suite("The description of an agent's API", .serialized)
struct OpenAPITests {
    @Test("An agent serves its document, and every route in it")
    func document() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                let document = try JSONDecoder().decode(
                    JSONValue.self, from: Data(await agent.readAPIDocument()))
                #expect(document["openapi"] == "3.1.0")
                for route in AgentRoutes.table.routes {
                    #expect(document["paths"]?[route.path] != nil)
                    // The path of a thing that is not there: its route says so, not the router.
                    let path = route.path.replacing("{name}", with: "nothing")
                        .replacing("{id}", with: String(repeating: "0", count: 32))
                    do {
                        _ = try await agent.sendRawRequest(
                            method: route.method.rawValue, path: path)
                    } catch ClientError.problem(let problem, _) {
                        #expect(problem.knownCode != .notFound, "\(route.id)")
                    }
                }
            }
        }
    }
}
