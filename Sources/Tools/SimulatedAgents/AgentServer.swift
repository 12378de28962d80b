// The listening ends of simulated agents: HTTP over mutual TLS, one port and one certificate each.

import FoundationEssentials
import Host
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Answers for one agent; nil ends the connection.
typealias AgentResponder = @Sendable (AgentRequest) -> AgentAnswer?

enum AgentServer {
    /// Listens on a free port of loopback.
    static func startServer(
        keysFolder: String, on group: any EventLoopGroup,
        responder respond: @escaping AgentResponder
    ) async throws -> any Channel {
        let tls = try NIOSSLContext(configuration: makeTLSConfiguration(keysFolder: keysFolder))
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Limits.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLServerHandler(context: tls))
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(RequestHandler(respond))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    private static func makeTLSConfiguration(keysFolder folder: String) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeServerConfigurationWithMTLS(
            certificateChain: try NIOSSLCertificate.fromPEMFile("\(folder)/cert.pem")
                .map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: "\(folder)/key.pem", format: .pem)),
            trustRoots: .certificates(try NIOSSLCertificate.fromPEMFile("\(folder)/ca.pem")))
        tls.minimumTLSVersion = .tlsv13
        tls.applicationProtocols = ["http/1.1"]
        return tls
    }
}

/// One connection: a request is read whole, answered, and the next one may come.
private final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let respond: AgentResponder
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ respond: @escaping AgentResponder) { self.respond = respond }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let part):
            guard body.count + part.readableBytes <= Limits.bodyBytesMax else {
                return context.close(promise: nil)
            }
            body += part.readableBytesView
        case .end:
            guard let head else { return }
            answerRequest(head: head, context: context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A client that breaks off is one of the things that happen; the connection is of no use any more.
        context.close(promise: nil)
    }

    private func answerRequest(head: HTTPRequestHead, context: ChannelHandlerContext) {
        let request = AgentRequest(
            method: head.method.rawValue, uri: head.uri,
            term: head.headers.first(name: "ferry-term"),
            body: body)
        guard let answer = respond(request) else { return context.close(promise: nil) }
        var headers = HTTPHeaders()
        headers.add(name: "content-length", value: "\(answer.body.count)")
        headers.add(
            name: "content-type",
            value: answer.isProblem ? "application/problem+json" : "application/json")
        if !head.isKeepAlive { headers.add(name: "connection", value: "close") }
        let status = HTTPResponseStatus(statusCode: answer.status)
        context.write(
            wrapOutboundOut(
                .head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
            promise: nil)
        context.write(
            wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        if !head.isKeepAlive { context.close(promise: nil) }
    }
}
