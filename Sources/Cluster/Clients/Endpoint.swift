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

    /// The answer, whatever it says.
    func ask(
        _ method: HTTPMethod, _ path: String, body: [UInt8]? = nil,
        within limit: Duration = Limits.answerTimeout
    ) async throws(Failure) -> Answer {
        do {
            let response = try await http.execute(
                request(method, path, body), timeout: .nanoseconds(limit.wholeNanoseconds))
            let bytes = try await response.body.collect(upTo: API.Limits.answerBytesMax)
            return Answer(
                status: Int(response.status.code),
                location: response.headers.first(name: "location"),
                body: Array(bytes.readableBytesView))
        } catch {
            throw Failure(error: clientError(error), mayHaveArrived: mayHaveArrived(error))
        }
    }

    /// The answer's body; throws `.problem` for an answer that is not a success.
    func send(
        _ method: HTTPMethod, _ path: String, body: [UInt8]? = nil,
        within limit: Duration = Limits.answerTimeout
    ) async throws(ClientError) -> [UInt8] {
        let answer: Answer
        do { answer = try await ask(method, path, body: body, within: limit) } catch {
            throw error.error
        }
        return try checked(answer)
    }

    /// Calls with each piece of an answer that goes on, until the server ends it or `body` returns false.
    func stream(
        _ path: String, _ body: (ArraySlice<UInt8>) async throws -> Bool
    ) async throws(ClientError) {
        do {
            // The deadline is for the whole answer: a stream has none.
            let response = try await http.execute(
                request(.GET, path, nil), deadline: .distantFuture)
            guard response.status == .ok else {
                let bytes = try await response.body.collect(upTo: API.Limits.answerBytesMax)
                _ = try checked(
                    Answer(
                        status: Int(response.status.code),
                        location: response.headers.first(name: "location"),
                        body: Array(bytes.readableBytesView)))
                return
            }
            for try await part in response.body {
                guard try await body(Array(part.readableBytesView)[...]) else { return }
            }
        } catch { throw clientError(error) }
    }

    func decode<Answer: Decodable>(_ bytes: [UInt8]) throws(ClientError) -> Answer {
        do { return try JSONDecoder().decode(Answer.self, from: Data(bytes)) } catch {
            throw .unexpected(host: address.name, reason: "\(error)")
        }
    }

    func encode(_ value: some Encodable) throws(ClientError) -> [UInt8] {
        do { return Array(try JSONEncoder().encode(value)) } catch {
            throw .unexpected(host: address.name, reason: "\(error)")
        }
    }

    func checked(_ answer: Answer) throws(ClientError) -> [UInt8] {
        guard !(200..<300).contains(answer.status) else { return answer.body }
        guard let problem = try? JSONDecoder().decode(Problem.self, from: Data(answer.body)) else {
            throw .unexpected(
                host: address.name, reason: "status \(answer.status) without a reason")
        }
        throw .problem(problem, host: address.name)
    }

    private func request(_ method: HTTPMethod, _ path: String, _ body: [UInt8]?)
        -> HTTPClientRequest
    {
        var request = HTTPClientRequest(url: address.baseURL + path)
        request.method = method
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        if let body {
            request.body = .bytes(ByteBuffer(bytes: body))
            request.headers.add(name: "content-type", value: "application/json")
        }
        return request
    }

    private func clientError(_ error: any Error) -> ClientError {
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
                reason: reason(errno: error.errnoCode))
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            return .notTrusted(host: address.name, reason: "\(error)")
        default:
            return .unreachable(
                host: address.name, address: address.description, reason: "\(error)")
        }
    }

    private func mayHaveArrived(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError: error != .connectTimeout
        // Connection refused, no route.
        case let error as IOError: ![111, 101, 113].contains(error.errnoCode)
        case is NIOConnectionError: false
        default: true
        }
    }

    /// The errors of a connection that people meet; the others by number.
    private func reason(errno code: Int32) -> String {
        switch code {
        case 104: "the connection was reset"
        case 110: "no answer in time"
        case 111: "connection refused: its \(address.identity.role.rawValue) does not run"
        case 101, 113: "there is no route to it"
        default: "error \(code)"
        }
    }
}
