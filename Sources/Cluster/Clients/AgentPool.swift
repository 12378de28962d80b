// Clients of agents that come and go: for a controller, which learns of hosts and their addresses while it runs.
//
// AsyncHTTPClient checks a certificate for the name that a URL holds, and maps names to addresses by a table that is
// fixed when a client is made. So each host has a client of its own here, made when it is first talked to; those that
// were not used for longest are closed when there are many.

import AsyncHTTPClient
import Model
import NIOSSL
import Synchronization

package final class AgentPool: Sendable {
    private struct Entry {
        let http: HTTPClient
        var users = 0
        /// The number of the use that was the last.
        var lastUse: UInt64
    }

    private struct State {
        var entries: [HostAddress: Entry] = [:]
        var uses: UInt64 = 0
        var isShutDown = false
    }

    private let tls: TLSConfiguration
    private let state = Mutex(State())

    /// - Parameter keysFolder: with ca.pem, cert.pem and key.pem.
    package init(keysFolder: String) throws(ClientError) {
        tls = try .ferryConfiguration(for: .keys(folder: keysFolder))
    }

    /// Calls with a client of the agent that is at an address; another one's certificate is refused there.
    /// - Parameter term: that of the controller that asks; nil for people.
    package func withClient<Value>(
        at address: HostAddress, term: UInt64?, do body: (AgentClient) async throws -> Value
    ) async throws -> Value {
        guard let http = acquireClient(at: address) else {
            throw ClientError.unreachable(
                host: address.name, address: address.description,
                reason: "this client is shut down")
        }
        let agent = AgentClient(endpoint: Endpoint(address: address, http: http))
        let client = term.map { agent.commanded(inTerm: $0) } ?? agent
        let result: Result<Value, any Error>
        do { result = .success(try await body(client)) } catch { result = .failure(error) }
        for unused in releaseClient(at: address) { await Self.closeClient(unused) }
        return try result.get()
    }

    /// Agents that there is a client for now.
    package var count: Int { state.withLock { $0.entries.count } }

    /// Call once, when nobody uses it any more.
    package func shutdown() async {
        let clients = state.withLock { state in
            state.isShutDown = true
            defer { state.entries = [:] }
            return state.entries.values.map(\.http)
        }
        for client in clients { await Self.closeClient(client) }
    }

    private func acquireClient(at address: HostAddress) -> HTTPClient? {
        state.withLock { state in
            if state.isShutDown { return nil }
            state.uses += 1
            var entry =
                state.entries[address]
                ?? Entry(http: HTTPClient.makeClusterClient(for: [address], tls: tls), lastUse: 0)
            entry.users += 1
            entry.lastUse = state.uses
            state.entries[address] = entry
            return entry.http
        }
    }

    /// Returns the clients that are to be closed.
    private func releaseClient(at address: HostAddress) -> [HTTPClient] {
        state.withLock { state in
            state.entries[address]?.users -= 1
            var unused: [HTTPClient] = []
            while state.entries.count(where: { $0.value.users == 0 }) > Limits.idleAgentsMax,
                let oldest = state.entries.filter({ $0.value.users == 0 })
                    .min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                unused.append(oldest.value.http)
                state.entries[oldest.key] = nil
            }
            return unused
        }
    }

    private static func closeClient(_ client: HTTPClient) async {
        // It was not shut down before, which is all that this throws for.
        try? await client.shutdown()
    }
}
