// Runs one scenario on a rig: start a migration, wait for the point, inject, heal, wait until the VM is somebody's
// again, and judge.

import API
import CFaultControl
import Clients
import Foundation
import Host
import Model
import Pulse
import Testbed

/// One run. Heals what it broke whatever happens, and throws only when it could not even begin or judge.
struct ScenarioRun {
    let scenario: Scenario
    let rig: FaultRig
    let vm: VMName
    let source: HostName
    let destination: HostName
    let agents: [Side: ProcessHandle]
    let sourceVMM: ProcessHandle

    init(_ scenario: Scenario, on rig: FaultRig, _ vm: VMInfo) async throws {
        self.scenario = scenario
        self.rig = rig
        self.vm = vm.name
        source = vm.host
        destination = try rig.cluster.other(than: vm.host)
        var agents: [Side: ProcessHandle] = [:]
        for (side, host) in [(Side.source, source), (.destination, destination)] {
            agents[side] = try ProcessHandle(
                try await rig.cluster.cluster.agent(host).host().processID)
        }
        self.agents = agents
        guard let id = vm.processID else { throw TestbedError("\(vm.name) has no process") }
        sourceVMM = try ProcessHandle(id)
    }

    private var cluster: LocalCluster { rig.cluster.cluster }

    func host(_ side: Side) -> HostName { side == .source ? source : destination }

    func run() async throws -> Row {
        let pulse = try PulseWatch(vm, in: cluster)
        defer { pulse.end() }
        if scenario.load == .restless { try await setRate(.flatOut, on: source) }
        try await pulse.waitForBeats(5)
        let before = pulse.trace
        let owners = try OwnerWatch(vm, in: cluster)
        var row = Row(scenario: scenario)
        do {
            try await undergo(&row, before, pulse)
        } catch {
            row.violations.append("\(error)")
        }
        row.violations += owners.end()
        return row
    }

    private func undergo(_ row: inout Row, _ before: HeartbeatTrace, _ pulse: PulseWatch)
        async throws
    {
        try await prepare()
        let arming = try arm()
        defer { rig.cluster.disarmAll() }
        let id = try await start()
        let at: Instant
        if let arming {
            try await waitForHit(arming, of: id)
            at = Instant.now
        } else {
            at = Instant.now
        }
        let injection = Injection(self, migration: id)
        let outcome: (info: MigrationInfo?, at: Instant)
        do {
            try await injection.inject { arming?.control.release(arming?.rule ?? 0) }
            outcome = try await injection.heal()
        } catch {
            // Whatever went wrong, nothing stays stopped or cut.
            try? await injection.mendAll()
            throw error
        }
        if outcome.info != nil { row.noticed = outcome.at - at }
        row.code = outcome.info.map { $0.failure?.code ?? "moved" }
        try await Judge(self, outcome.info, pulse).judge(&row, before, from: at)
    }

    /// What must be so before the migration begins.
    private func prepare() async throws {
        switch scenario.fault {
        case .noRoom: try await rig.cluster.setReserve("900GiB", on: destination)
        case .fullDisk where scenario.point == nil: try rig.cluster.fillDisk(of: destination)
        default: break
        }
    }

    private struct Arming {
        let control: FaultControl
        let rule: Int
    }

    /// Nil when nothing has to be waited for.
    private func arm() throws -> Arming? {
        var rules: [Shim: [fault_rule]] = [:]
        if let point = scenario.point {
            let action: ShimAction
            var times: Int? = 1
            if case .fail(let code, let count) = scenario.fault {
                (action, times) = (.fail(code), count)
            } else {
                action = .hold
            }
            rules[Shim(point), default: []].append(fault_rule(point, action, times: times))
        }
        for more in scenario.circumstances {
            rules[Shim(more.point), default: []]
                .append(fault_rule(more.point, more.action, times: more.times))
        }
        for (shim, list) in rules {
            try rig.cluster.control(shim.program, on: host(shim.side)).arm(list)
        }
        guard let point = scenario.point else { return nil }
        return Arming(
            control: try rig.cluster.control(point.program, on: host(point.side)), rule: 0)
    }

    private struct Shim: Hashable {
        let side: Side
        let program: FaultPoint.Program

        init(_ point: FaultPoint) {
            side = point.side
            program = point.program
        }
    }

    private func start() async throws -> MigrationID {
        // A machine that is busy with something else keeps this limit too.
        let limit = scenario.load == .restless ? 1 : 10_000
        return try await cluster.agent(source).start(
            StartMigration(vm: vm, to: destination, downtimeLimit: .milliseconds(limit))
        ).id
    }

    private func waitForHit(_ arming: Arming, of id: MigrationID) async throws {
        let end = Instant.now + Limits.reach
        var lastLook = Instant.now
        var looksAfterEnd = 0
        while arming.control.hits(arming.rule) == 0 {
            if Instant.now - lastLook > .milliseconds(200) {
                lastLook = .now
                let info = try await cluster.agent(source).migration(withID: id)
                // What follows the end (the audit, the end of the source's process) follows soon.
                looksAfterEnd += info.isOver ? 1 : 0
                guard looksAfterEnd < Limits.looksAfterEnd || arming.control.hits(arming.rule) > 0
                else {
                    throw TestbedError(
                        "the migration ended without its point: \(info.failure?.message ?? "moved")"
                    )
                }
            }
            guard Instant.now < end else {
                throw TestbedError("the point was not reached within \(Limits.reach)")
            }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    func setRate(_ rate: PulseOptions.Rate, on host: HostName) async throws {
        try await cluster.agent(host).sendConsoleInput(Array("rate \(rate.word)\n".utf8), to: vm)
    }

    /// The process of the VM on a host, whatever the host's agent says of it.
    func vmm(on side: Side) throws -> ProcessHandle? {
        if side == .source { return sourceVMM }
        let word = "--directory=" + cluster.folder(of: vm, on: host(side))
        let process = ProcessFacts.all.first { $0.state != "Z" && $0.arguments.contains(word) }
        return try process.map { try ProcessHandle($0.id) }
    }
}
