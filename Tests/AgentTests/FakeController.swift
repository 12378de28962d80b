// A controller for tests: it takes registrations and heartbeats, and answers as a test says.

import API
import Agent
import Clients
import ClusterFile
import Foundation
import HTTPTypes
import Host
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Keys
import Logging
import Model
import NIOCore
import NIOSSL
import ServiceLifecycle
import Synchronization
import Testing

/// What an agent has sent.
enum Report: Sendable {
    case registration(HostName, HostRegistration)
    case heartbeat(HostName, Heartbeat)
}

/// Serves at its address in the cluster file while `with` runs.
final class FakeController: Sendable {
    typealias Answer = @Sendable (Report) throws -> HeartbeatAnswer

    /// Everything that arrives, in order; for one reader.
    let reports: AsyncStream<Report>
    private let input: AsyncStream<Report>.Continuation
    private let answer: Mutex<Answer>

    init(_ answer: @escaping Answer = { _ in .usual }) {
        (reports, input) = AsyncStream.makeStream()
        self.answer = Mutex(answer)
    }

    /// What it answers from now on.
    func answers(_ answer: @escaping Answer) { self.answer.withLock { $0 = answer } }

    /// Nothing more will arrive.
    func finish() { input.finish() }

    /// Serves as one of the cluster's controllers while the body runs.
    /// - Parameter keys: another identity's folder.
    func serve<Value: Sendable>(
        _ cluster: TestCluster, as number: Int = 1, keys: String? = nil,
        _ body: @Sendable @escaping () async throws -> Value
    ) async throws -> Value {
        let name = "controller-\(number)"
        let member = try #require(cluster.file.findController(named: HostName(name)))
        let application = Application(
            router: router(),
            server: try .tls(.http1(), tlsConfiguration: tls(keys ?? cluster.controllerKeys(name))),
            configuration: ApplicationConfiguration(
                address: .hostname(member.api.ip, port: Int(member.api.port)), serverName: nil),
            logger: Logger(label: "fake") { _ in SwiftLogNoOpLogHandler() })
        return try await withThrowingTaskGroup(of: Void.self) { group in
            let services = ServiceGroup(
                services: [application],
                logger: Logger(label: "fake") { _ in SwiftLogNoOpLogHandler() })
            group.addTask { try await services.run() }
            defer { group.cancelAll() }
            let value = try await body()
            await services.triggerGracefulShutdown()
            return value
        }
    }

    private func tls(_ folder: String) throws -> TLSConfiguration {
        let keys = KeyFolder(folder)
        var tls = TLSConfiguration.makeServerConfigurationWithMTLS(
            certificateChain: try NIOSSLCertificate.fromPEMFile(keys.certificate)
                .map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: keys.key, format: .pem)),
            trustRoots: .certificates(try NIOSSLCertificate.fromPEMFile(keys.authorityCertificate)))
        tls.minimumTLSVersion = .tlsv13
        return tls
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.put("v1/agents/:name") { request, context in
            try await self.take(request, context) { .registration($0, $1) }
        }
        router.post("v1/agents/:name/heartbeat") { request, context in
            try await self.take(request, context) { .heartbeat($0, $1) }
        }
        return router
    }

    private func take<Body: Decodable>(
        _ request: Request, _ context: BasicRequestContext, _ report: (HostName, Body) -> Report
    ) async throws -> Response {
        let name = try HostName(context.parameters.require("name"))
        let bytes = try await request.body.collect(upTo: 1 << 20)
        let report = report(
            name, try JSONDecoder().decode(Body.self, from: Data(bytes.readableBytesView)))
        input.yield(report)
        do {
            return try Self.json(answer.withLock { $0 }(report), status: .ok)
        } catch let problem as Problem {
            return try Self.json(problem, status: HTTPResponse.Status(code: problem.status))
        }
    }

    private static func json(
        _ value: some Encodable, status: HTTPResponse.Status
    ) throws -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try JSONEncoder().encode(value))))
    }

    /// The next report for which there is an answer.
    func next<Value: Sendable>(_ wanted: (Report) -> Value?) async throws -> Value {
        for await report in reports { if let value = wanted(report) { return value } }
        throw TestClusterError.neverAsWanted("a report")
    }

    /// The next heartbeat that is as wanted.
    func heartbeat(
        where isWanted: (Heartbeat) -> Bool = { _ in true }
    ) async throws -> Heartbeat {
        try await next { report in
            if case .heartbeat(_, let heartbeat) = report, isWanted(heartbeat) {
                heartbeat
            } else {
                nil
            }
        }
    }

    func registration() async throws -> HostRegistration {
        try await next {
            if case .registration(_, let registration) = $0 { registration } else { nil }
        }
    }

    /// The next state of a VM, by its name, that is as wanted.
    func report(
        of vm: VMName, where isWanted: (VMReport) -> Bool = { _ in true }
    ) async throws -> VMReport {
        try await next { report in
            guard case .heartbeat(_, let heartbeat) = report else { return nil }
            return heartbeat.vms.first { $0.name == vm && isWanted($0) }
        }
    }
}

extension HeartbeatAnswer {
    static var usual: HeartbeatAnswer { HeartbeatAnswer(term: 1, intervalMs: 200, leaseMs: 2000) }
}
