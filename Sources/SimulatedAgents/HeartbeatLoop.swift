// One agent's side of registration and heartbeats, for as long as its task runs.

import API
import AsyncHTTPClient
import FoundationEssentials
import Host
package import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Where a controller is, and who must be there.
package struct ControllerAddress: Hashable, Sendable {
    package let identity: Identity
    package let ip: String
    package let port: Int

    package init(cluster: ClusterName, name: HostName, ip: String, port: Int) {
        identity = Identity(cluster: cluster, role: .controller, name: name)
        self.ip = ip
        self.port = port
    }

    var baseURL: String { "https://\(identity.dnsName):\(port)" }
}

struct HeartbeatLoop: Sendable {
    let host: HostName
    let fleet: SimulatedFleet
    let controllers: [ControllerAddress]
    let http: HTTPClient

    /// The agent's own client, which shows its certificate.
    static func client(_ folder: String, _ controllers: [ControllerAddress]) throws -> HTTPClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv13
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile("\(folder)/ca.pem"))
        tls.certificateChain = try NIOSSLCertificate.fromPEMFile("\(folder)/cert.pem")
            .map { .certificate($0) }
        tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: "\(folder)/key.pem", format: .pem))
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = tls
        configuration.dnsOverride = Dictionary(
            controllers.map { ($0.identity.dnsName, $0.ip) }, uniquingKeysWith: { first, _ in first }
        )
        configuration.timeout.connect = .seconds(Limits.connectTimeoutSeconds)
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.idleTimeout = .seconds(Limits.idleSeconds)
        return HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
            configuration: configuration)
    }

    /// Ends with its task.
    func run() async {
        var controller = 0
        var isRegistered = false
        var interval = Limits.intervalUsual
        while !Task.isCancelled {
            let start = Instant.now
            if !fleet.isSilent(host) {
                let answer = await report(to: controllers[controller], register: !isRegistered)
                if let answer {
                    isRegistered = !answer.wantsRegistration
                    interval = .milliseconds(answer.intervalMs)
                    // The first heartbeat follows a registration at once.
                    if answer.wantsRegistration { continue }
                } else {
                    controller = (controller + 1) % controllers.count
                    interval = Limits.retry
                }
            }
            let pause = interval - (Instant.now - start)
            // Cancelled in its sleep: the loop ends.
            if pause > .zero { try? await Task.sleep(for: pause) }
        }
    }

    /// Nil when that controller does not answer, or does not lead.
    private func report(
        to controller: ControllerAddress, register: Bool
    ) async -> HeartbeatAnswer? {
        if register {
            guard
                let answer: HeartbeatAnswer = await send(
                    .PUT, ClusterPaths.agent(host), fleet.registration(of: host), controller)
            else { return nil }
            fleet.heard(answer.term, on: host)
        }
        let heartbeat = fleet.heartbeat(of: host)
        let start = Instant.now
        guard
            let answer: HeartbeatAnswer = await send(
                .POST, ClusterPaths.heartbeat(host), heartbeat, controller)
        else {
            fleet.noteFailedHeartbeat()
            return nil
        }
        fleet.wasAnswered(heartbeat, answer, on: host, after: Instant.now - start)
        return answer
    }

    private func send<Answer: Decodable>(
        _ method: HTTPMethod, _ path: String, _ message: some Encodable,
        _ controller: ControllerAddress
    ) async -> Answer? {
        do {
            var request = HTTPClientRequest(url: controller.baseURL + path)
            request.method = method
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(message)))
            let response = try await http.execute(
                request, timeout: .seconds(Limits.answerTimeoutSeconds))
            let body = try await response.body.collect(upTo: Limits.answerBytesMax)
            guard response.status == .ok else {
                fleet.note("\(method) \(path): \(response.status.code) \(String(buffer: body))")
                return nil
            }
            return try JSONDecoder().decode(Answer.self, from: Data(body.readableBytesView))
        } catch {
            // A controller that is away is what this program makes happen.
            fleet.note("\(method) \(path): \(error)")
            return nil
        }
    }
}
