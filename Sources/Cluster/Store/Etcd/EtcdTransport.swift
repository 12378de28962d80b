// Calls to etcd's members over HTTP: the one that answered last is asked first, and another one when it does not.

import AsyncHTTPClient
import ClusterCore
import FoundationEssentials
import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

final class EtcdTransport: Sendable {
    private struct State {
        /// Index of the member to ask first.
        var first = 0
        var isClosed = false
    }

    private let endpoints: [String]
    private let calls: HTTPClient
    private let streams: HTTPClient
    private let state = Mutex(State())

    /// - Parameter keysFolder: with ca.pem, cert.pem and key.pem; needed for https.
    init(
        endpoints: [String], keysFolder: String?, watchSilence: Duration
    ) throws(StoreError) {
        guard !endpoints.isEmpty, endpoints.count <= Limits.endpointsMax else {
            throw .tooLarge("endpoints of etcd, at least one", max: Limits.endpointsMax)
        }
        self.endpoints = endpoints.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        let tls = try keysFolder.map { folder throws(StoreError) in
            try Self.tlsConfiguration(inFolder: folder)
        }
        calls = Self.makeClient(tls: tls, silence: Limits.answerTimeout)
        streams = Self.makeClient(tls: tls, silence: watchSilence)
    }

    private static func makeClient(tls: TLSConfiguration?, silence: Duration) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = tls
        configuration.timeout.connect = TimeAmount(Limits.connectTimeout)
        configuration.timeout.read = TimeAmount(silence)
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        // Who cannot connect is told so at once, and asks another member.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.idleTimeout = TimeAmount(Limits.idleConnection)
        // Each watch has a connection of its own.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit =
            Limits.connectionsPerMember
        return HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
            configuration: configuration)
    }

    private static func tlsConfiguration(inFolder folder: String) throws(StoreError)
        -> TLSConfiguration
    {
        do {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.minimumTLSVersion = .tlsv12
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile("\(folder)/ca.pem"))
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile("\(folder)/cert.pem")
                .map { .certificate($0) }
            tls.privateKey = .privateKey(
                try NIOSSLPrivateKey(file: "\(folder)/key.pem", format: .pem))
            tls.certificateVerification = .fullVerification
            return tls
        } catch {
            throw .unusable(
                reason:
                    "the keys for etcd in \(folder) cannot be used (\(error)): it needs ca.pem, cert.pem and key.pem"
            )
        }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func close() async {
        let wasClosed = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed
        }
        guard !wasClosed else { return }
        // They fail only when they were shut down already.
        try? await calls.shutdown()
        try? await streams.shutdown()
    }

    /// Asks one member after another, each once, for as long as that does no harm.
    func sendRequest<Answer: EtcdAnswer>(
        path: String, request: some Encodable, effect: EtcdEffect = .none
    ) async throws(EtcdFailure) -> Answer {
        let body = try Self.encodedBody(of: request)
        let first = state.withLock { $0.first }
        var failure = EtcdFailure.closed
        for index in first..<(first + endpoints.count) {
            guard !isClosed else { throw .closed }
            let endpoint = endpoints[index % endpoints.count]
            switch await answerBytes(url: endpoint + path, body: body) {
            case .success(let bytes):
                state.withLock { $0.first = index % endpoints.count }
                return try Answer.decodeAnswer(from: bytes)
            case .failure(let error): failure = error
            }
            guard !Task.isCancelled, failure.allowsAnotherMember(for: effect) else { break }
        }
        // Not this member first, the next time.
        if failure.isOfMember { state.withLock { $0.first = (first + 1) % endpoints.count } }
        // What a change that was under way came to, closing does not tell.
        throw isClosed && effect == .none ? .closed : failure
    }

    /// The number of the member that answered last.
    var firstMember: Int { state.withLock { $0.first } }

    private func answerBytes(url: String, body: ByteBuffer) async -> Result<[UInt8], EtcdFailure> {
        do {
            let response = try await calls.execute(
                httpRequest(url: url, body: body), timeout: TimeAmount(Limits.answerTimeout))
            let bytes = try await response.body.collect(upTo: Limits.answerBytesMax)
            return Self.answerResult(
                status: response.status, body: [UInt8](bytes.readableBytesView))
        } catch { return .failure(EtcdFailure(error)) }
    }

    /// Opens a stream of answers at the member of that number, whichever there are.
    func openStream(
        path: String, request: some Encodable, member: Int
    ) async throws(EtcdFailure) -> EtcdStream {
        guard !isClosed else { throw .closed }
        let body = try Self.encodedBody(of: request)
        do {
            var request = self.httpRequest(
                url: endpoints[member % endpoints.count] + path, body: body)
            // A member that is cut off from the others ends the stream, instead of being silent.
            request.headers.add(name: "Grpc-Metadata-hasleader", value: "true")
            let response = try await streams.execute(request, deadline: .distantFuture)
            guard response.status == .ok else {
                let bytes = try await response.body.collect(upTo: Limits.answerBytesMax)
                _ = try Self.answerResult(
                    status: response.status, body: [UInt8](bytes.readableBytesView)
                )
                .get()
                throw EtcdFailure.malformed("status \(response.status.code)")
            }
            return EtcdStream(response.body)
        } catch { throw isClosed ? .closed : EtcdFailure(error) }
    }

    private func httpRequest(url: String, body: ByteBuffer) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(body)
        return request
    }

    private static func encodedBody(of request: some Encodable) throws(EtcdFailure) -> ByteBuffer {
        do { return ByteBuffer(bytes: try JSONEncoder().encode(request)) } catch {
            throw .malformed("a request that cannot be written: \(error)")
        }
    }

    private static func answerResult(
        status: HTTPResponseStatus, body bytes: [UInt8]
    ) -> Result<[UInt8], EtcdFailure> {
        guard status != .ok else { return .success(bytes) }
        guard let answer = try? EtcdErrorAnswer.decodeAnswer(from: bytes) else {
            return .failure(.malformed("status \(status.code)"))
        }
        return .failure(.refused(code: answer.code, message: answer.message))
    }
}

extension EtcdFailure {
    /// True when another member might have done better.
    fileprivate var isOfMember: Bool {
        switch self {
        case .notSent, .lost, .silent: true
        case .refused(let code, _): !EtcdCode.definite.contains(code)
        case .malformed, .tooLong, .compacted, .cancelled, .closed: false
        }
    }

    /// From what the HTTP client throws.
    init(_ error: any Error) {
        switch error {
        case let failure as EtcdFailure: self = failure
        case is CancellationError: self = .cancelled
        case is NIOTooManyBytesError: self = .tooLong
        case let error as NIOConnectionError: self = .notSent("\(error)")
        case let error as IOError where error.errnoCode == connectionRefused:
            self = .notSent("connection refused")
        case let error as HTTPClientError:
            self =
                switch error {
                case .cancelled: .cancelled
                case .alreadyShutdown: .closed
                case .readTimeout: .silent
                case .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout:
                    .notSent("\(error)")
                default: .lost("\(error)")
                }
        default: self = .lost("\(error)")
        }
    }
}

/// ECONNREFUSED: a connection that is there cannot fail with it.
private let connectionRefused: Int32 = 111

extension TimeAmount {
    fileprivate init(_ duration: Duration) { self = .nanoseconds(duration.wholeNanoseconds) }
}
