import API
import Clients
import ClusterCore
import Controller
import Foundation
import HTTPTypes
import Host
import Keys
import Model
import Serving
import Testing

@Suite("Who may use the controller's API", .serialized)
struct AuthorizationTests {
    /// Who asks, and what each kind of route says to them: nil where they may.
    private enum Asker: String, CaseIterable {
        case nobody, badToken, viewer, operatorToken, admin, operatorKeys, controllerKeys, thatAgent
        case otherAgent

        func refusal(for needs: RouteAccess) -> Problem.Code? {
            switch (self, needs) {
            case (_, .unauthenticated): nil
            case (.nobody, _), (.badToken, _): .unauthorized
            case (.thatAgent, .thatAgent): nil
            case (.thatAgent, _), (.otherAgent, _), (_, .thatAgent): .forbidden
            case (.admin, _), (.operatorKeys, _), (_, .viewer): nil
            case (.operatorToken, .operator): nil
            case (_, .operator), (_, .admin), (_, .certificate): .forbidden
            }
        }
    }

    @Test("Every route lets in whom it should, and nobody else")
    func matrix() async throws {
        try await TestController.with { controller, admin in
            try await controller.join()
            var identities: [Asker: TestController.Identity] = [
                .nobody: .nobody, .badToken: .token("ferry.viewer.00"),
                .operatorKeys: controller.operatorIdentity,
                .controllerKeys: .keys(controller.cluster.keys(.controller, "other")),
                .thatAgent: .keys(controller.cluster.keys(.agent, "host-a")),
                .otherAgent: .keys(controller.cluster.keys(.agent, "host-b")),
            ]
            for (asker, role): (Asker, TokenRole) in [
                (.viewer, .viewer), (.operatorToken, .operator), (.admin, .admin),
            ] {
                let made = try await admin.createToken(
                    with: CreateToken(name: role.rawValue, role: role))
                identities[asker] = .token(try #require(made.token))
            }
            for route in try controller.api.routes.map(\.description) {
                // A query that no route knows ends each request before it does anything; tokens that are used here
                // are not the ones named.
                let path =
                    route.path.replacing("{name}", with: "host-a")
                    .replacing("{id}", with: String(repeating: "0", count: 32)) + "?nothing=1"
                for asker in Asker.allCases {
                    let answer = try await controller.curl(
                        route.method.rawValue, path, as: try #require(identities[asker]))
                    let wanted = asker.refusal(for: route.access) ?? .badRequest
                    #expect(
                        answer.problem?.knownCode == wanted && answer.status == wanted.status,
                        "\(asker) \(route.method) \(path): \(answer.status) \(answer.text)")
                }
            }
        }
    }

    @Test("Whoever shows nothing is asked for a token, by the header that RFC 6750 wants")
    func challenge() async throws {
        try await TestController.with { controller, _ in
            for headers in [[], ["Authorization: Basic YTpi"], ["Authorization: Bearer x y"]] {
                let answer = try await controller.curl(
                    "GET", "/v1/cluster", as: .nobody, headers: headers)
                #expect(answer.status == 401)
                #expect(answer.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
                #expect(answer.headers["content-type"] == Problem.mediaType)
            }
        }
    }

    @Test("A certificate of another authority is refused in the handshake")
    func otherAuthority() async throws {
        try await TestController.with { controller, _ in
            let folder = KeyFolder("\(controller.cluster.folder)/stranger")
            try ClusterAuthority(cluster: controller.cluster.name)
                .issueCertificate(as: .operator, name: HostName("admin"), to: folder)
            try AtomicFile.writeBytes(
                File.readContents(at: controller.authorityFile, limit: 1 << 16),
                to: folder.authorityCertificate)
            do {
                _ = try await controller.client(.keys(folder: folder.path)) {
                    try await $0.readClusterInfo()
                }
                Issue.record("it was answered")
            } catch ClientError.notTrusted {
            } catch ClientError.unreachable {
            }
        }
    }
}

@Suite("Tokens", .serialized)
struct TokenTests {
    private static func access(_ controller: TestController, _ token: String) -> Access {
        .token(token, authority: controller.authorityFile)
    }

    @Test("A token works until it is ended, is shown once, and is not in the store")
    func life() async throws {
        let store = MemoryStore()
        try await TestController.with(store: store) { controller, admin in
            let made = try await admin.createToken(
                with: CreateToken(name: "grafana", role: .viewer))
            let token = try #require(made.token)
            let listed = try await admin.listTokens()
            #expect(listed.items.map(\.name) == ["grafana"])
            #expect(listed.items.allSatisfy { $0.token == nil })
            let stored = String(decoding: await store.bytes, as: UTF8.self)
            #expect(stored.contains("grafana"))
            let secret = try #require(token.split(separator: ".").last)
            #expect(!stored.contains(secret))

            try await controller.client(Self.access(controller, token)) { viewer in
                _ = try await viewer.readClusterInfo()
                await problem(.forbidden) { try await viewer.createVM(with: newVM("web")) }
                try await admin.deleteToken(named: "grafana")
                await problem(.unauthorized) { try await viewer.readClusterInfo() }
            }
            await problem(.tokenNotFound) { try await admin.deleteToken(named: "grafana") }
        }
    }

    @Test("Nearly the right token is a wrong one")
    func wrong() async throws {
        try await TestController.with { controller, admin in
            let made = try await admin.createToken(with: CreateToken(name: "a", role: .admin))
            let other = try await admin.createToken(with: CreateToken(name: "b", role: .admin))
            let token = try #require(made.token)
            let secretOfOther = try #require(other.token?.split(separator: ".").last)
            let last = token.hasSuffix("0") ? "1" : "0"
            let wrongs: [String] = [
                "\(token.dropLast())\(last)", "\(token.dropLast())", "\(token)0",
                token.uppercased(), "ferry.a.\(secretOfOther)", "ferry.a.",
            ]
            for wrong in wrongs {
                try await controller.client(Self.access(controller, wrong)) { client in
                    await problem(.unauthorized) { try await client.readClusterInfo() }
                }
            }
        }
    }

    @Test("A token ends when its time is over")
    func expiry() async throws {
        try await TestController.with { controller, admin in
            let made = try await admin.createToken(
                with: CreateToken(name: "short", role: .viewer, validForSeconds: 1))
            #expect(made.expiresAtMs == made.createdAtMs + 1000)
            try await controller.client(Self.access(controller, try #require(made.token))) {
                client in
                let end = Instant.now + .seconds(20)
                while Instant.now < end {
                    do { _ = try await client.readClusterInfo() } catch ClientError.problem(
                        let problem, _)
                    {
                        #expect(problem.knownCode == .unauthorized)
                        return
                    }
                }
                Issue.record("it works on")
            }
        }
    }

    @Test("A name that is taken, a name that is none, and a time that cannot be are refused")
    func refusals() async throws {
        try await TestController.with { _, admin in
            _ = try await admin.createToken(with: CreateToken(name: "a", role: .viewer))
            await problem(.nameTaken) {
                try await admin.createToken(with: CreateToken(name: "a", role: .admin))
            }
            await problem(.invalid) {
                try await admin.createToken(with: CreateToken(name: "A b", role: .admin))
            }
            await problem(.invalid) {
                try await admin.createToken(
                    with: CreateToken(name: "b", role: .admin, validForSeconds: 0))
            }
        }
    }
}
