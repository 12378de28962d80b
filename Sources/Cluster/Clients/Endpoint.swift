// One server and how requests travel there: collected answers, live streams, and errors by kind.

import API
import AsyncHTTPClient
import FoundationEssentials
import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

struct Endpoint: Sendable {
    let address: HostAddress
    let http: HTTPClient
    /// Sent with every request.
    var headers: [(name: String, value: String)] = []

    struct Answer: Sendable {
        var status: Int
        /// Where else to ask.
        var location: String?
        var body: [UInt8]
    }

    /// A request without an answer. One that was never sent can be sent again, whatever it asks for.
    struct Failure: Error {
        var error: ClientError
        var mayHaveArrived: Bool
    }

    /// A request as it is sent.
    struct Call: Sendable {
        var method: HTTPMethod
        /// With its query.
        var path: String
        var headers: [(name: String, value: String)] = []
        var body: [UInt8]?

        init(
            method: HTTPMethod, path: String, headers: [(name: String, value: String)] = [],
            body: [UInt8]? = nil
        ) {
            self.method = method
            self.path = path
            self.headers = headers
            self.body = body
        }

        /// - Parameter server: named by the error if the body cannot be encoded.
        init<Answer>(
            _ request: RouteRequest<Answer>, to server: HostAddress
        ) throws(ClientError) {
            self.init(
                method: HTTPMethod(rawValue: request.method.rawValue), path: request.path,
                headers: request.headers)
            guard let value = request.body else { return }
            do { body = Array(try JSONEncoder().encode(value)) } catch {
                throw .unexpected(host: server.name, reason: "\(error)")
            }
        }
    }

    /// Sends a request of a route, and decodes its answer.
    func sendRequest<Answer>(
        _ request: RouteRequest<Answer>, within limit: Duration = Limits.answerTimeout
    ) async throws(ClientError) -> Answer {
        try decodeAnswer(from: await fetchAnswerBody(to: Call(request, to: address), within: limit))
    }

    /// The answer, whatever it says.
    func fetchAnswer(
        to call: Call, within limit: Duration = Limits.answerTimeout
    ) async throws(Failure) -> Answer {
        do {
            let response = try await http.execute(
                httpRequest(of: call), timeout: .nanoseconds(limit.wholeNanoseconds))
            let bytes = try await response.body.collect(upTo: API.Limits.answerBytesMax)
            return Answer(
                status: Int(response.status.code),
                location: response.headers.first(name: "location"),
                body: Array(bytes.readableBytesView))
        } catch {
            throw Failure(
                error: makeClientError(from: error), mayHaveArrived: mayHaveArrived(despite: error))
        }
    }

    /// The answer's body; throws `.problem` for an answer that is not a success.
    func fetchAnswerBody(
        to call: Call, within limit: Duration = Limits.answerTimeout
    ) async throws(ClientError) -> [UInt8] {
        let answer: Answer
        do { answer = try await fetchAnswer(to: call, within: limit) } catch {
            throw error.error
        }
        return try checkedBody(of: answer)
    }

    /// Calls with each piece of an answer that goes on, until the server ends it or `body` returns false.
    func streamAnswer<Message>(
        to request: RouteRequest<Message>,
        receiving body: (ArraySlice<UInt8>) async throws -> Bool
    ) async throws(ClientError) {
        let call = try Call(request, to: address)
        do {
            // The deadline is for the whole answer: a stream has none.
            let response = try await http.execute(
                httpRequest(of: call), deadline: .distantFuture)
            guard response.status == .ok else {
                let bytes = try await response.body.collect(upTo: API.Limits.answerBytesMax)
                _ = try checkedBody(
                    of: Answer(
                        status: Int(response.status.code),
                        location: response.headers.first(name: "location"),
                        body: Array(bytes.readableBytesView)))
                return
            }
            for try await part in response.body {
                guard try await body(Array(part.readableBytesView)[...]) else { return }
            }
        } catch { throw makeClientError(from: error) }
    }

    func decodeAnswer<Answer: Decodable>(from bytes: [UInt8]) throws(ClientError) -> Answer {
        if let absent = NoContent() as? Answer { return absent }
        do { return try JSONDecoder().decode(Answer.self, from: Data(bytes)) } catch {
            throw .unexpected(host: address.name, reason: "\(error)")
        }
    }

    func checkedBody(of answer: Answer) throws(ClientError) -> [UInt8] {
        guard !(200..<300).contains(answer.status) else { return answer.body }
        guard let problem = try? JSONDecoder().decode(Problem.self, from: Data(answer.body)) else {
            throw .unexpected(
                host: address.name, reason: "status \(answer.status) without a reason")
        }
        throw .problem(problem, host: address.name)
    }

    private func httpRequest(of call: Call) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: address.baseURL + call.path)
        request.method = call.method
        for header in headers + call.headers {
            request.headers.add(name: header.name, value: header.value)
        }
        if let body = call.body {
            request.body = .bytes(ByteBuffer(bytes: body))
            request.headers.add(name: "content-type", value: "application/json")
        }
        return request
    }

    private func makeClientError(from error: any Error) -> ClientError {
        switch error {
        case let error as ClientError: return error
        case let error as HTTPClientError
        where error == .connectTimeout || error == .readTimeout
            || error == .deadlineExceeded:
            return .unreachable(
                host: address.name, address: address.description, reason: "no answer in time")
        case let error as IOError:
            return .unreachable(
                host: address.name, address: address.description,
                reason: failureReason(errno: error.errnoCode))
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            return .notTrusted(host: address.name, reason: "\(error)")
        default:
            return .unreachable(
                host: address.name, address: address.description, reason: "\(error)")
        }
    }

    private func mayHaveArrived(despite error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError: error != .connectTimeout
        // Connection refused, no route.
        case let error as IOError: ![111, 101, 113].contains(error.errnoCode)
        case is NIOConnectionError: false
        default: true
        }
    }

    /// The errors of a connection that people meet; the others by number.
    private func failureReason(errno code: Int32) -> String {
        switch code {
        case 104: "the connection was reset"
        case 110: "no answer in time"
        case 111: "connection refused: its \(address.identity.role.rawValue) does not run"
        case 101, 113: "there is no route to it"
        default: "error \(code)"
        }
    }
}
