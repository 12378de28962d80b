// Agents without VMs behind them: each has a certificate, a TLS port and heartbeats of its own, as real ones have; its
// VMs are entries in memory. For what a controller does with a thousand hosts, and for failures on demand.

package import API
package import Clients
import Foundation
import Host
package import Model
import NIOCore
import NIOPosix
import Synchronization

/// Call `end` when done.
package final class SimulatedFleet: Sendable {
    package let hosts: [HostName]
    private let keysFolder: @Sendable (HostName) -> String
    private let state: Mutex<SimulatedHosts>
    private let servers: Mutex<[HostName: any Channel]>
    private let loops: Mutex<[(task: Task<Void, Never>, client: ControllerClient)]>
    private let times = Mutex(HeartbeatTimes())
    private let lastError = Mutex<String?>(nil)

    /// Listens for all of them; heartbeats begin with `report`.
    /// - Parameter keysFolder: of an agent's ca.pem, cert.pem and key.pem.
    package static func startFleet(
        of simulated: SimulatedHosts, keysFolder: @escaping @Sendable (HostName) -> String
    ) async throws -> SimulatedFleet {
        let fleet = SimulatedFleet(simulated: simulated, keysFolder: keysFolder)
        for host in fleet.hosts {
            let server = try await AgentServer.startServer(
                keysFolder: keysFolder(host), on: MultiThreadedEventLoopGroup.singleton
            ) { [weak fleet] in fleet?.answerRequest($0, on: host) }
            fleet.servers.withLock { $0[host] = server }
        }
        return fleet
    }

    private init(
        simulated: SimulatedHosts, keysFolder: @escaping @Sendable (HostName) -> String
    ) {
        hosts = simulated.names
        state = Mutex(simulated)
        self.keysFolder = keysFolder
        servers = Mutex([:])
        loops = Mutex([])
    }

    package func listeningPort(of host: HostName) -> Int {
        servers.withLock { $0[host]?.localAddress?.port } ?? 0
    }

    /// As a cluster file names it. Nobody listens at the peer address: memory is not really moved.
    package func memberAddresses(of host: HostName) -> (api: String, peer: String) {
        let number = hosts.firstIndex(of: host) ?? 0
        return (
            "127.0.0.1:\(listeningPort(of: host))", "127.1.\(number / 250).\(number % 250 + 1):7201"
        )
    }

    /// From now on all of them register and report, spread over `within`.
    package func startReporting(to controllers: [HostAddress], within: Duration) throws {
        for (index, host) in hosts.enumerated() {
            let client = try ControllerClient(
                controllers: controllers, access: .keys(folder: keysFolder(host)))
            let loop = HeartbeatLoop(host: host, fleet: self, controllers: client)
            let delay = within * (Double(index) / Double(hosts.count))
            let task = Task {
                // Cancelled in its sleep: the loop ends at once.
                try? await Task.sleep(for: delay)
                await loop.runUntilCancelled()
            }
            loops.withLock { $0.append((task, client)) }
        }
    }

    package func stopAgents() async {
        let ending = loops.withLock { loops in
            defer { loops = [] }
            return loops
        }
        for loop in ending { loop.task.cancel() }
        for loop in ending {
            await loop.task.value
            await loop.client.shutdown()
        }
        let channels = servers.withLock { servers in
            defer { servers = [:] }
            return servers.values.map { $0 }
        }
        // A listener that is closed already is as it should be.
        for channel in channels { try? await channel.close() }
    }

    // MARK: What is done to it

    package func failCommands(
        of command: SimulatedCommand, on host: HostName, with failures: SimulatedFailure...
    ) {
        state.withLock { $0.failCommands(of: command, on: host, with: failures) }
    }

    /// A host that says nothing and answers nothing, or does so again: with another life of its agent.
    package func setSilenced(_ isSilent: Bool, host: HostName) {
        state.withLock {
            $0.hosts[host]?.isSilent = isSilent
            if !isSilent { $0.hosts[host]?.agentID = .random() }
        }
    }

    package func crashGuest(of vm: VMName) { state.withLock { $0.crashGuest(of: vm) } }

    // MARK: What is there

    /// Every host that has a VM of this name.
    package func findInstances(of vm: VMName) -> [VMInfo] {
        state.withLock { state in
            state.advanceTime(to: .now)
            return hosts.compactMap { state.hosts[$0]?.vms[vm]?.makeVMInfo(on: $0) }
        }
    }

    package func hostedVMs(on host: HostName) -> [VMInfo] {
        state.withLock { state in
            state.advanceTime(to: .now)
            return state.hosts[host]?.vms.values.map { $0.makeVMInfo(on: host) } ?? []
        }
    }

    package var migrationsUnderWay: Int {
        state.withLock { state in
            state.advanceTime(to: .now)
            return state.underWay.count
        }
    }

    /// Since the last call.
    package func drainTimes() -> HeartbeatTimes {
        times.withLock { times in
            defer { times = HeartbeatTimes() }
            return times
        }
    }

    /// What a controller refused or broke off last, for people.
    package var lastProblem: String? { lastError.withLock { $0 } }

    // MARK: What its parts ask

    private func answerRequest(_ request: AgentRequest, on host: HostName) -> AgentAnswer? {
        let unixMs = Int64(Date().timeIntervalSince1970 * 1000)
        return state.withLock { $0.answerRequest(request, on: host, now: .now, unixMs: unixMs) }
    }

    func isHostSilent(_ host: HostName) -> Bool {
        state.withLock { $0.hosts[host]?.isSilent ?? true }
    }

    func registration(of host: HostName) -> HostRegistration {
        let member = memberAddresses(of: host)
        return state.withLock { state in
            let simulated = state.hosts[host]
            return HostRegistration(
                agentID: simulated?.agentID ?? .random(), agentVersion: "simulated",
                apiAddress: member.api, peerAddress: member.peer, cores: simulated?.cores ?? 1,
                memoryBytes: simulated?.memoryBytes ?? 0, memoryReserveBytes: 0, cpuFeatures: [])
        }
    }

    func heartbeat(of host: HostName) -> Heartbeat {
        state.withLock { state in
            guard let heartbeat = state.nextHeartbeat(of: host, now: .now) else {
                preconditionFailure("a loop runs for a host of the fleet")
            }
            return heartbeat
        }
    }

    func recordTerm(_ term: UInt64, on host: HostName) {
        state.withLock { state in
            let known = state.hosts[host]?.term ?? 0
            state.hosts[host]?.term = max(known, term)
        }
    }

    func recordHeartbeat(
        _ heartbeat: Heartbeat, answer: HeartbeatAnswer, on host: HostName, latency time: Duration
    ) {
        recordTerm(answer.term, on: host)
        state.withLock { $0.acknowledgeHeartbeat(heartbeat, of: host) }
        times.withLock { $0.latencies.append(time) }
    }

    func recordFailure(_ error: ClientError) {
        times.withLock { $0.failed += 1 }
        lastError.withLock { $0 = "\(error)" }
    }
}
