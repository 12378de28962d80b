// How requests travel: collected answers, live streams, and errors by kind.

package import API
import AsyncHTTPClient
import FoundationEssentials
package import Model
import NIOCore
import NIOHTTP1
import NIOSSL

extension AgentClient {
    /// Any request, as it is: for what the typed ones cannot say.
    package func raw(
        _ method: String, _ path: String, body: [UInt8]? = nil
    ) async throws(ClientError) -> [UInt8] {
        try await send(HTTPMethod(rawValue: method), path, body: body)
    }

    /// The answer's body; throws `.problem` for an answer that is not a success.
    func send(
        _ method: HTTPMethod, _ path: String, body: [UInt8]? = nil,
        within limit: Duration = Limits.answerTimeout
    ) async throws(ClientError) -> [UInt8] {
        do {
            let response = try await http.execute(
                request(method, path, body), timeout: .nanoseconds(limit.wholeNanoseconds))
            let bytes = try await response.body.collect(upTo: API.Limits.answerBytesMax)
            return try checked(response.status, Array(bytes.readableBytesView))
        } catch { throw clientError(error) }
    }

    /// Calls with each piece of an answer that goes on, until the agent ends it or `body` returns false.
    package func stream(
        _ path: String, _ body: (ArraySlice<UInt8>) async throws -> Bool
    ) async throws(ClientError) {
        do {
            // The deadline is for the whole answer: a stream has none.
            let response = try await http.execute(
                request(.GET, path, nil), deadline: .distantFuture)
            guard response.status == .ok else {
                let bytes = try await response.body.collect(upTo: API.Limits.answerBytesMax)
                _ = try checked(response.status, Array(bytes.readableBytesView))
                return
            }
            for try await part in response.body {
                guard try await body(Array(part.readableBytesView)[...]) else { return }
            }
        } catch { throw clientError(error) }
    }

    /// Follows a migration to its end, several reports a second.
    package func follow(
        _ id: MigrationID, _ report: (MigrationInfo) async -> Void
    ) async throws(ClientError) -> MigrationInfo {
        var line: [UInt8] = []
        var last: MigrationInfo?
        try await stream(Paths.migrationEvents(id)) { part in
            for byte in part {
                guard byte == UInt8(ascii: "\n") else {
                    line.append(byte)
                    continue
                }
                let info: MigrationInfo = try decode(line)
                line = []
                last = info
                await report(info)
            }
            guard line.count <= Limits.eventLineBytesMax else {
                throw ClientError.unexpected(host: name, reason: "a line of \(line.count) bytes")
            }
            return true
        }
        // The stream ended early when the agent shuts down: then the record is asked for.
        if let last, last.isOver { return last }
        return try await migration(id)
    }

    private func request(_ method: HTTPMethod, _ path: String, _ body: [UInt8]?)
        -> HTTPClientRequest
    {
        var request = HTTPClientRequest(url: address.baseURL + path)
        request.method = method
        if let term { request.headers.add(name: termHeader, value: "\(term)") }
        if let body {
            request.body = .bytes(ByteBuffer(bytes: body))
            request.headers.add(name: "content-type", value: "application/json")
        }
        return request
    }

    private func checked(
        _ status: HTTPResponseStatus, _ bytes: [UInt8]
    ) throws(ClientError) -> [UInt8] {
        guard !(200..<300).contains(status.code) else { return bytes }
        guard let problem = try? JSONDecoder().decode(Problem.self, from: Data(bytes)) else {
            throw .unexpected(host: name, reason: "status \(status.code) without a reason")
        }
        throw .problem(problem, host: name)
    }

    private func clientError(_ error: any Error) -> ClientError {
        switch error {
        case let error as ClientError: return error
        case let error as HTTPClientError
        where error == .connectTimeout || error == .readTimeout
            || error == .deadlineExceeded:
            return .unreachable(
                host: name, address: address.description, reason: "no answer in time")
        case let error as IOError:
            return .unreachable(
                host: name, address: address.description, reason: reason(errno: error.errnoCode))
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            return .notTrusted(host: name, reason: "\(error)")
        default:
            return .unreachable(host: name, address: address.description, reason: "\(error)")
        }
    }
}

/// The errors of a connection that people meet; the others by number.
private func reason(errno code: Int32) -> String {
    switch code {
    case 104: "the connection was reset"
    case 110: "no answer in time"
    case 111: "connection refused: its agent does not run"
    case 101, 113: "there is no route to it"
    default: "error \(code)"
    }
}
