// Makes a fault happen, and undoes what must be undone: thaws, mends, starts agents again.

import API
import Clients
import Foundation
import Glibc
import Host
import Model
import Testbed

/// The fault of one run.
final class Injection {
    private let run: ScenarioRun
    private let migration: MigrationID
    private let fault: Fault
    private var frozen: ProcessHandle?
    private var limit: MemoryLimit?

    init(_ run: ScenarioRun, migration: MigrationID) {
        self.run = run
        self.migration = migration
        fault = run.scenario.fault
    }

    private var cluster: FaultCluster { run.rig.cluster }

    /// - Parameter release: lets the process at the point go on.
    func injectFault(release: () -> Void) async throws {
        switch fault {
        case .kill(let victims, _):
            for victim in victims {
                let process = try processHandle(of: victim)
                try process.sendSignal(SIGKILL)
                _ = try process.waitForExit(within: .seconds(10))
            }
        case .freeze(let victim, _):
            let process = try processHandle(of: victim)
            frozen = process
            try process.sendSignal(SIGSTOP)
        case .cut(let direction, _):
            try await cluster.link.cutTraffic(direction: direction, source: run.source.text)
        case .reset: try await cluster.link.resetConnections()
        case .memoryLimit:
            limit = try MemoryLimit(of: try processHandle(of: .destinationAgent).processID)
        case .fullDisk: try cluster.fillStateDisk(of: run.destination)
        case .fail, .noRoom: break
        }
        release()
    }

    /// Returns when nothing is broken any more and the migration has ended: how, when its source still knows.
    func repairAndAwaitEnd() async throws -> (info: MigrationInfo?, at: Instant) {
        let end = MigrationEnd(migration, agent: try cluster.cluster.agentClient(for: run.source))
        async let outcome = end.waitForEnd()
        switch fault {
        case .kill(let victims, let isLate):
            guard victims.contains(where: \.isAgent) else { break }
            if isLate, !victims.contains(.sourceAgent) {
                _ = try await outcome
            } else {
                try await Task.sleep(for: isLate ? .seconds(4) : Limits.restart)
            }
        case .freeze(_, let time): try await Task.sleep(for: time)
        case .cut(_, let time?): try await Task.sleep(for: time)
        case .cut(_, nil), .memoryLimit, .noRoom, .fullDisk: _ = try await outcome
        case .reset, .fail: break
        }
        try await repairEverything()
        return try await outcome
    }

    /// Everything as it was before the fault.
    func repairEverything() async throws {
        try frozen?.sendSignal(SIGCONT)
        frozen = nil
        if case .cut = fault { try await cluster.link.restoreTraffic() }
        limit?.removeLimit()
        limit = nil
        if case .fullDisk = fault { try cluster.emptyStateDisk(of: run.destination) }
        if case .noRoom = fault { try await cluster.setMemoryReserve(nil, on: run.destination) }
        // An agent that ended though nobody killed it is left so: then the VM does not settle.
        if endsAgents { try await cluster.cluster.startAgents() }
    }

    private var endsAgents: Bool {
        switch fault {
        case .kill(let victims, _): victims.contains(where: \.isAgent)
        case .memoryLimit: true
        case .freeze, .cut, .reset, .fail, .noRoom, .fullDisk: false
        }
    }

    private func processHandle(of victim: Victim) throws -> ProcessHandle {
        if victim.isAgent, let agent = run.agents[victim.side] { return agent }
        guard let vmm = try run.vmmProcess(on: victim.side) else {
            throw TestbedError("there is no \(victim.rawValue) at this point")
        }
        return vmm
    }
}

/// Waits for the end of a migration at its source, whatever happens to the source's agent.
private struct MigrationEnd: Sendable {
    private let id: MigrationID
    private let agent: AgentClient

    init(_ id: MigrationID, agent: AgentClient) {
        self.id = id
        self.agent = agent
    }

    /// The migration when it is over; nil when its agent has forgotten it.
    func waitForEnd() async throws -> (info: MigrationInfo?, at: Instant) {
        let end = Instant.now + Limits.settle
        while Instant.now < end {
            do throws(ClientError) {
                let info = try await agent.migration(withID: id)
                if info.isOver { return (info, .now) }
            } catch {
                if case .problem(let problem, _) = error,
                    problem.knownCode == .migrationNotFound
                {
                    return (nil, .now)
                }
                // Killed or frozen: it will answer again.
            }
            try await Task.sleep(for: Limits.poll)
        }
        throw TestbedError("the migration had not ended after \(Limits.settle)")
    }
}
