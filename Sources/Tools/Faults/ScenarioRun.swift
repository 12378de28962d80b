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

    init(of scenario: Scenario, on rig: FaultRig, vm: VMInfo) async throws {
        self.scenario = scenario
        self.rig = rig
        self.vm = vm.name
        source = vm.host
        destination = try rig.cluster.otherHost(than: vm.host)
        var agents: [Side: ProcessHandle] = [:]
        for (side, host) in [(Side.source, source), (.destination, destination)] {
            agents[side] = try ProcessHandle(
                try await rig.cluster.cluster.agentClient(for: host).readHostInfo().processID)
        }
        self.agents = agents
        guard let id = vm.processID else { throw TestbedError("\(vm.name) has no process") }
        sourceVMM = try ProcessHandle(id)
    }

    private var cluster: LocalCluster { rig.cluster.cluster }

    func hostName(at side: Side) -> HostName { side == .source ? source : destination }

    func runScenario() async throws -> ScenarioResult {
        let pulse = try PulseWatch(vm, in: cluster)
        defer { pulse.stopWatching() }
        if scenario.load == .restless { try await setGuestRate(.flatOut, on: source) }
        try await pulse.waitForBeats(count: 5)
        let before = pulse.trace
        let owners = try OwnerWatch(vm, in: cluster)
        var row = ScenarioResult(scenario: scenario)
        do {
            try await migrateUnderFault(recordingTo: &row, baseline: before, pulse: pulse)
        } catch {
            row.violations.append("\(error)")
        }
        row.violations += owners.finishWatching()
        return row
    }

    private func migrateUnderFault(
        recordingTo row: inout ScenarioResult, baseline before: HeartbeatTrace, pulse: PulseWatch
    )
        async throws
    {
        try await prepareHosts()
        let arming = try armFaultRules()
        defer { rig.cluster.disarmAll() }
        let id = try await startMigration()
        let at: Instant
        if let arming {
            try await waitForRuleHit(of: arming, migration: id)
            at = Instant.now
        } else {
            at = Instant.now
        }
        let injection = Injection(self, migration: id)
        let outcome: (info: MigrationInfo?, at: Instant)
        do {
            try await injection.injectFault {
                arming?.control.releaseHeldCalls(ofRule: arming?.rule ?? 0)
            }
            outcome = try await injection.repairAndAwaitEnd()
        } catch {
            // Whatever went wrong, nothing stays stopped or cut.
            try? await injection.repairEverything()
            throw error
        }
        if outcome.info != nil { row.noticed = outcome.at - at }
        row.code = outcome.info.map { $0.failure?.code ?? "moved" }
        try await ScenarioVerifier(run: self, outcome: outcome.info, pulse: pulse).verifyOutcome(
            recordingTo: &row, baseline: before, since: at)
    }

    /// What must be so before the migration begins.
    private func prepareHosts() async throws {
        switch scenario.fault {
        case .noRoom: try await rig.cluster.setMemoryReserve("900GiB", on: destination)
        case .fullDisk where scenario.point == nil: try rig.cluster.fillStateDisk(of: destination)
        default: break
        }
    }

    private struct Arming {
        let control: FaultControl
        let rule: Int
    }

    /// Nil when nothing has to be waited for.
    private func armFaultRules() throws -> Arming? {
        var rules: [Shim: [fault_rule]] = [:]
        if let point = scenario.point {
            let action: ShimAction
            var times: Int? = 1
            if case .fail(let code, let count) = scenario.fault {
                (action, times) = (.fail(code), count)
            } else {
                action = .hold
            }
            rules[Shim(point), default: []].append(
                fault_rule(at: point, action: action, times: times))
        }
        for more in scenario.circumstances {
            rules[Shim(more.point), default: []]
                .append(fault_rule(at: more.point, action: more.action, times: more.times))
        }
        for (shim, list) in rules {
            try rig.cluster.faultControl(of: shim.program, on: hostName(at: shim.side))
                .armFaultRules(list)
        }
        guard let point = scenario.point else { return nil }
        return Arming(
            control: try rig.cluster.faultControl(of: point.program, on: hostName(at: point.side)),
            rule: 0)
    }

    private struct Shim: Hashable {
        let side: Side
        let program: FaultPoint.Program

        init(_ point: FaultPoint) {
            side = point.side
            program = point.program
        }
    }

    private func startMigration() async throws -> MigrationID {
        // A machine that is busy with something else keeps this limit too.
        let limit = scenario.load == .restless ? 1 : 10_000
        return try await cluster.agentClient(for: source).startMigration(
            with: StartMigration(vm: vm, to: destination, downtimeLimit: .milliseconds(limit))
        ).id
    }

    private func waitForRuleHit(of arming: Arming, migration id: MigrationID) async throws {
        let end = Instant.now + Limits.reach
        var lastLook = Instant.now
        var looksAfterEnd = 0
        while arming.control.hitCount(ofRule: arming.rule) == 0 {
            if Instant.now - lastLook > .milliseconds(200) {
                lastLook = .now
                let info = try await cluster.agentClient(for: source).migration(withID: id)
                // What follows the end (the audit, the end of the source's process) follows soon.
                looksAfterEnd += info.isOver ? 1 : 0
                guard
                    looksAfterEnd < Limits.looksAfterEnd
                        || arming.control.hitCount(ofRule: arming.rule) > 0
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

    func setGuestRate(_ rate: PulseOptions.Rate, on host: HostName) async throws {
        try await cluster.agentClient(for: host).sendConsoleInput(
            Array("rate \(rate.word)\n".utf8), to: vm)
    }

    /// The process of the VM on a host, whatever the host's agent says of it.
    func vmmProcess(on side: Side) throws -> ProcessHandle? {
        if side == .source { return sourceVMM }
        let word = "--directory=" + cluster.vmStateFolder(of: vm, on: hostName(at: side))
        let process = ProcessFacts.all.first { $0.state != "Z" && $0.arguments.contains(word) }
        return try process.map { try ProcessHandle($0.id) }
    }
}
