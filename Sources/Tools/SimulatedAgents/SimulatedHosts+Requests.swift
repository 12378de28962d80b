// The agents' REST API over hosts in memory: the paths that a controller uses.

import API
import FoundationEssentials
package import Host
package import Model

/// A request as a simulated agent reads it.
package struct AgentRequest: Sendable {
    package var method: String
    /// With its query.
    package var uri: String
    package var term: String?
    package var body: [UInt8]

    package init(method: String, uri: String, term: String?, body: [UInt8] = []) {
        self.method = method
        self.uri = uri
        self.term = term
        self.body = body
    }
}

package struct AgentAnswer: Hashable, Sendable {
    package var status: Int
    package var body: [UInt8]
    package var isProblem = false
}

extension SimulatedHosts {
    /// Nil: the connection ends without an answer.
    package mutating func answerRequest(
        _ request: AgentRequest, on host: HostName, now: Instant, unixMs: Int64
    ) -> AgentAnswer? {
        advanceTime(to: now)
        guard hosts[host]?.isSilent == false else { return nil }
        do throws(Problem) {
            try checkTerm(of: request, on: host)
            return try routeRequest(request, on: host, now: now, unixMs: unixMs)
        } catch {
            return AgentAnswer(status: error.status, body: Self.encodeJSON(error), isProblem: true)
        }
    }

    private mutating func checkTerm(
        of request: AgentRequest, on host: HostName
    ) throws(Problem) {
        guard let term = request.term.flatMap({ UInt64($0) }) else {
            guard request.method == "GET" else {
                throw Problem(.badRequest, detail: "a command without its controller's term")
            }
            return
        }
        let known = try self.findHost(named: host).term
        guard term >= known else {
            throw Problem(.staleTerm, detail: "term \(term) commands, and \(known) was heard of")
        }
        hosts[host]?.term = term
    }

    private mutating func routeRequest(
        _ request: AgentRequest, on host: HostName, now: Instant, unixMs: Int64
    ) throws(Problem) -> AgentAnswer? {
        let (path, query) = Self.splitURI(request.uri)
        switch (request.method, path.count, path.first ?? "") {
        case ("GET", 1, "host"): return Self.successAnswer(with: try makeHostInfo(for: host))
        case ("GET", 1, "vms"):
            return Self.successAnswer(
                with: VMList(
                    vms: try self.findHost(named: host).vms.values.map { $0.makeVMInfo(on: host) }))
        case ("GET", 2, "vms"):
            return Self.successAnswer(
                with: try findVM(named: Self.parseVMName(path[1]), on: host).makeVMInfo(on: host))
        case ("GET", 1, "migrations"):
            return Self.successAnswer(
                with: MigrationList(migrations: try self.findHost(named: host).migrations))
        case ("GET", 2, "migrations"):
            return Self.successAnswer(with: try findMigration(id: path[1], on: host))
        case ("DELETE", 2, "migrations"):
            let id = try findMigration(id: path[1], on: host).id
            return Self.successAnswer(with: try cancelMigration(id: id, on: host), status: 202)
        default:
            return try applyCommand(
                from: request, path: path, query: query, on: host, now: now, unixMs: unixMs)
        }
    }

    /// What can be made to fail.
    private mutating func applyCommand(
        from request: AgentRequest, path: [String], query: String, on host: HostName,
        now: Instant, unixMs: Int64
    ) throws(Problem) -> AgentAnswer? {
        guard let command = Self.parseCommand(method: request.method, path: path) else {
            throw Problem(.notFound, detail: "there is no \(request.method) \(request.uri) here")
        }
        var laterFailure: FailureCode?
        let failure = removeNextFailure(of: command, on: host)
        switch failure {
        case .refused(let problem): throw problem
        case .requestLost: return nil
        case .failsLater(let code): laterFailure = code
        case .answerLost, nil: break
        }
        let answer: AgentAnswer
        switch command {
        case .create:
            answer = Self.successAnswer(
                with: try createVM(from: Self.decodeBody(request.body), on: host), status: 201)
        case .delete:
            let id = query.hasPrefix("id=") ? VMID(String(query.dropFirst(3))) : nil
            try deleteVM(named: Self.parseVMName(path[1]), id: id, on: host)
            answer = AgentAnswer(status: 204, body: [])
        case .action:
            guard let action = VMAction(rawValue: path[2]) else {
                throw Problem(.notFound, detail: "there is no action \(path[2])")
            }
            answer = Self.successAnswer(
                with: try performAction(action, on: Self.parseVMName(path[1]), at: host))
        case .migrate:
            answer = Self.successAnswer(
                with: try startMigration(
                    for: Self.decodeBody(request.body), from: host, now: now, unixMs: unixMs,
                    failure: laterFailure),
                status: 202)
        }
        return failure == .answerLost ? nil : answer
    }

    private static func parseCommand(method: String, path: [String]) -> SimulatedCommand? {
        switch (method, path.count, path.first ?? "") {
        case ("POST", 1, "vms"): .create
        case ("DELETE", 2, "vms"): .delete
        case ("POST", 3, "vms"): .action
        case ("POST", 1, "migrations"): .migrate
        default: nil
        }
    }

    private func findMigration(id text: String, on host: HostName) throws(Problem) -> MigrationInfo
    {
        guard let id = MigrationID(text),
            let known = try self.findHost(named: host).findMigration(id: id)
        else {
            throw Problem(.migrationNotFound, detail: "\(host) has no migration \(text)")
        }
        return known
    }

    private func makeHostInfo(for name: HostName) throws(Problem) -> HostInfo {
        let host = try findHost(named: name)
        guard let cluster = try? ClusterName("simulated") else {
            throw Problem(.internalError, detail: "no cluster's name")
        }
        return HostInfo(
            name: name, cluster: cluster, cores: host.cores, memoryBytes: host.memoryBytes,
            memoryAvailableBytes: host.memoryBytes - min(host.memoryBytes, host.memoryUsedBytes),
            memoryReserveBytes: 0, cpuFeatures: [], kvm: KVMInfo(apiVersion: 12),
            kernelVersion: "simulated", agentVersion: "simulated", processID: 1, apiAddress: "",
            peerAddress: "", vms: host.vms.count)
    }

    /// "/v1/vms/web?id=1" is ["vms", "web"] and "id=1".
    private static func splitURI(_ uri: String) -> (path: [String], query: String) {
        let halves = uri.split(separator: "?", maxSplits: 1)
        let words = (halves.first ?? "").split(separator: "/").map(String.init)
        let path = words.first == "v1" ? Array(words.dropFirst()) : []
        return (path, halves.count > 1 ? String(halves[1]) : "")
    }

    private static func parseVMName(_ text: String) throws(Problem) -> VMName {
        do { return try VMName(text) } catch { throw Problem(.badRequest, detail: "\(error)") }
    }

    private static func decodeBody<Value: Decodable>(_ body: [UInt8]) throws(Problem) -> Value {
        do { return try JSONDecoder().decode(Value.self, from: Data(body)) } catch {
            throw Problem(.badRequest, detail: "\(error)")
        }
    }

    private static func successAnswer(with value: some Encodable, status: Int = 200) -> AgentAnswer
    {
        AgentAnswer(status: status, body: encodeJSON(value))
    }

    private static func encodeJSON(_ value: some Encodable) -> [UInt8] {
        // Plain values of ours: there is nothing in them that JSON cannot say.
        (try? JSONEncoder().encode(value)).map { Array($0) } ?? []
    }
}
