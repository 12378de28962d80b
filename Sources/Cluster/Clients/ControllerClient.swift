// A typed client of the controllers' API. It finds the one that leads, and follows when another one does.
//
// What may have been done is not asked for twice: a request that changes something and whose answer was lost throws
// `unreachable`, unless it asks for the same however often it is sent (PUT, DELETE, GET).

package import API
import AsyncHTTPClient
import Host
import Model
import NIOHTTP1
import Synchronization

/// Talks to the controllers of one cluster with one identity. Call `shutdown` at the end.
package final class ControllerClient: Sendable {
    private let http: HTTPClient
    private let controllers: [Endpoint]
    /// For how long a cluster without a leader is asked again.
    private let patience: Duration
    /// Index of the one that answered last.
    private let current = Mutex(0)

    /// - Parameter controllers: at least one.
    package init(
        controllers: [HostAddress], access: Access, patience: Duration = Limits.leaderPatience
    ) throws(ClientError) {
        precondition(!controllers.isEmpty)
        let http = HTTPClient.makeClusterClient(
            for: controllers, tls: try .ferryConfiguration(for: access),
            silenceMax: Limits.controllerSilence)
        self.http = http
        self.controllers = controllers.map {
            Endpoint(address: $0, http: http, headers: access.headers)
        }
        self.patience = patience
    }

    package func shutdown() async {
        // It was not shut down before, which is all that this throws for.
        try? await http.shutdown()
    }

    /// Any request, as it is: for what the typed ones cannot say.
    package func sendRawRequest(
        method: String, path: String, body: [UInt8]? = nil
    ) async throws(ClientError) -> (status: Int, body: [UInt8]) {
        let (endpoint, answer) = try await askLeader(
            with: Endpoint.Call(method: HTTPMethod(rawValue: method), path: path, body: body))
        return (answer.status, try endpoint.checkedBody(of: answer))
    }

    /// Sends a request of a route to the leader, and decodes its answer.
    func sendRequest<Answer>(_ request: RouteRequest<Answer>) async throws(ClientError) -> Answer {
        let (endpoint, answer) = try await askLeader(
            with: Endpoint.Call(request, to: controllers[0].address))
        return try endpoint.decodeAnswer(from: endpoint.checkedBody(of: answer))
    }

    /// The body of the leader's answer.
    func fetchAnswerBytes<Answer>(
        for request: RouteRequest<Answer>
    ) async throws(ClientError) -> [UInt8] {
        let (endpoint, answer) = try await askLeader(
            with: Endpoint.Call(request, to: controllers[0].address))
        return try endpoint.checkedBody(of: answer)
    }

    /// The answer of the one that leads.
    func askLeader(
        with call: Endpoint.Call
    ) async throws(ClientError) -> (Endpoint, Endpoint.Answer) {
        var search = LeaderSearch(
            controllers: controllers.count, first: current.withLock { $0 },
            end: Instant.now + patience)
        while true {
            let endpoint = controllers[search.index]
            do throws(Endpoint.Failure) {
                let answer = try await endpoint.fetchAnswer(
                    to: call, within: Limits.controllerAnswer)
                guard let problem = notLeaderError(in: answer, from: endpoint) else {
                    current.withLock { $0 = search.index }
                    return (endpoint, answer)
                }
                search.recordRefusal(problem, leader: leaderIndex(at: answer.location))
            } catch {
                if error.mayHaveArrived, !call.method.canBeRepeated { throw error.error }
                search.recordFailure(error.error)
            }
            try await pauseBeforeNext(in: &search)
        }
    }

    private func pauseBeforeNext(in search: inout LeaderSearch) async throws(ClientError) {
        switch search.decideNextStep(at: Instant.now) {
        case .ask: return
        case .giveUp(let error): throw error
        case .pause:
            do { try await Task.sleep(for: Limits.leaderPause) } catch {
                throw .unreachable(
                    host: controllers[search.index].address.name,
                    address: controllers[search.index].address.description, reason: "cancelled")
            }
        }
    }

    /// The error of a controller that does not lead; nil for other answers.
    private func notLeaderError(
        in answer: Endpoint.Answer, from endpoint: Endpoint
    ) -> ClientError? {
        guard answer.status == 503 else { return nil }
        do throws(ClientError) { _ = try endpoint.checkedBody(of: answer) } catch {
            if case .problem(let problem, _) = error, problem.knownCode == .notLeader {
                return error
            }
        }
        return nil
    }

    /// Which of the controllers is meant by "https://IP:PORT/…".
    private func leaderIndex(at location: String?) -> Int? {
        guard let location else { return nil }
        return controllers.firstIndex { location.hasPrefix("https://\($0.address.description)/") }
    }

    /// Calls with each event behind `revision` as it comes, until `body` returns false. Nil: from now on. Follows to
    /// another controller when the one it listens to ends or no longer leads.
    ///
    /// - Parameter begins: called with the revision behind which a controller begins to tell, each time that one does;
    ///   false ends it.
    package func followEvents(
        after revision: UInt64?, begins: (UInt64) async throws -> Bool = { _ in true },
        receiving body: (ClusterEvent) async throws -> Bool
    ) async throws {
        var reader = EventReader(after: revision)
        var search = LeaderSearch(
            controllers: controllers.count, first: current.withLock { $0 },
            end: Instant.now + patience)
        while !reader.isOver {
            let endpoint = controllers[search.index]
            do {
                try await reader.followEvents(from: endpoint, begins: begins) { event in
                    search.end = Instant.now + patience
                    return try await body(event)
                }
                // Ended in good order, by the server: it may be asked again.
                search.recordRefusal(
                    .unreachable(
                        host: endpoint.address.name, address: endpoint.address.description,
                        reason: "it ended the stream of events"), leader: nil)
            } catch let error as ClientError {
                guard error.isPassing else { throw error }
                if case .problem = error {
                    search.recordRefusal(error, leader: nil)
                } else {
                    search.recordFailure(error)
                }
            }
            if !reader.isOver { try await pauseBeforeNext(in: &search) }
        }
    }

    /// The revision that the cluster is at: who lists everything now and then follows the events behind it misses nothing.
    package func readCurrentRevision() async throws -> UInt64 {
        var found: UInt64?
        try await followEvents(after: nil) { revision in
            found = revision
            return false
        } receiving: { _ in
            true
        }
        guard let found else {
            throw ClientError.unexpected(
                host: controllers[0].address.name, reason: "a stream of events without a revision")
        }
        return found
    }
}

extension HTTPMethod {
    /// Sent twice, it asks for the same as once.
    fileprivate var canBeRepeated: Bool { [.GET, .PUT, .DELETE, .HEAD].contains(self) }
}

extension ClientError {
    /// Another controller, or the same a little later, may answer.
    fileprivate var isPassing: Bool {
        switch self {
        case .unreachable: true
        case .problem(let problem, _): problem.status == 503
        case .notTrusted, .unexpected, .keys: false
        }
    }
}

/// Goes round the controllers until one leads: at once to the one that is named, to each once without a pause, then
/// with pauses, until the time is over. When none of them can be reached at all it ends after the first round.
struct LeaderSearch {
    enum Next {
        case ask
        case pause
        case giveUp(ClientError)
    }

    private let count: Int
    private(set) var index: Int
    /// When patience ends.
    var end: Instant
    private var tried = 0
    private var named: Int?
    private var hasAnswer = false
    private var last: ClientError?

    init(controllers count: Int, first: Int, end: Instant) {
        self.count = count
        index = first
        self.end = end
    }

    mutating func recordRefusal(_ error: ClientError, leader: Int?) {
        hasAnswer = true
        last = error
        if leader != index { named = leader }
    }

    mutating func recordFailure(_ error: ClientError) {
        if last == nil || !hasAnswer { last = error }
    }

    mutating func decideNextStep(at now: Instant) -> Next {
        tried += 1
        index = named ?? (index + 1) % count
        let wasNamed = named != nil
        named = nil
        if let last, now >= end || (tried >= count && !hasAnswer) { return .giveUp(last) }
        return tried % count == 0 || (wasNamed && tried > count) ? .pause : .ask
    }
}
