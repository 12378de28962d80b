// What must be so after any fault: one owner, who runs the VM or says why not; right pages; nothing left behind.

import API
import Clients
import Foundation
import Host
import Migration
import Model
import Ownership
import Pulse
import Testbed

struct ScenarioVerifier {
    private let run: ScenarioRun
    private let outcome: MigrationInfo?
    private let pulse: PulseWatch

    /// Codes that a migration may end with under these faults.
    private static let codes: Set<FailureCode> = [
        .unreachable, .peerSilent, .connectionClosed, .connectionBroken, .guestDied, .guestSilent,
        .guestRefused, .hostFailed, .ledgerFull, .ledgerFailed, .agentRestarted, .noAnswer,
        .neverRan, .refusedNotEnoughMemory, .refusedBadState, .refusedGuestFailure,
        .refusedLedgerFailure, .refusedHostFailure, .refusedGaveUp, .refusedTimedOut,
    ]

    init(run: ScenarioRun, outcome: MigrationInfo?, pulse: PulseWatch) {
        self.run = run
        self.outcome = outcome
        self.pulse = pulse
    }

    private var cluster: LocalCluster { run.rig.cluster.cluster }

    func verifyOutcome(
        recordingTo row: inout ScenarioResult, baseline before: HeartbeatTrace, since fault: Instant
    ) async throws {
        let vm = try await waitUntilSettled()
        let side: Side = vm.host == run.source ? .source : .destination
        row.violations += try ledgerViolations(of: vm)
        if vm.state == .running {
            row.owner = side == .source ? .source : .destination
            if !run.scenario.owners.contains(side) {
                row.violations.append("the VM is at the \(side.rawValue)")
            }
            try await verifyGuest(recordingTo: &row, on: vm.host, baseline: before, since: fault)
        } else {
            row.owner = .lost
            try await verifyLoss(recordingTo: &row, of: vm, on: side)
        }
        row.violations += codeViolations(endingAt: side, isLost: row.owner == .lost)
    }

    /// The one place where the VM is when nothing goes on any more.
    private func waitUntilSettled() async throws -> VMInfo {
        let end = Instant.now + Limits.settle
        while true {
            let (places, isQuiet) = await collectVMStates()
            if isQuiet, places.count == 1, places[0].activity == nil,
                [.running, .failed, .stopped].contains(places[0].state)
            {
                return places[0]
            }
            guard Instant.now < end else {
                let words = places.map {
                    "\($0.host): \($0.state.rawValue), \($0.activity ?? "idle"), \($0.warning ?? "no warning")"
                }
                throw TestbedError("not settled after \(Limits.settle): \(words)")
            }
            try await Task.sleep(for: Limits.poll)
        }
    }

    private func collectVMStates() async -> (places: [VMInfo], isQuiet: Bool) {
        var places: [VMInfo] = []
        var isQuiet = true
        for agent in cluster.client.agents {
            // An agent that does not answer is not quiet.
            guard let vms = try? await agent.listAllVMs(),
                let migrations = try? await agent.migrations()
            else {
                isQuiet = false
                continue
            }
            places += vms.filter { $0.name == run.vm }
            if migrations.contains(where: { !$0.isOver }) { isQuiet = false }
        }
        return (places, isQuiet)
    }

    private func ledgerViolations(of vm: VMInfo) throws -> [String] {
        let owners = try cluster.hosts.filter { host in
            // The agent has the lock of the real one.
            let copy = cluster.folder + "/ledger-copy"
            try? FileManager.default.removeItem(atPath: copy)
            try FileManager.default.copyItem(
                atPath: cluster.stateFolder(of: host) + "/ledger", toPath: copy)
            return try LedgerFile(path: copy).ownership(of: vm.id)?.mayRun == true
        }
        return owners == [vm.host]
            ? [] : ["the ledgers of \(owners) own the VM, which is on \(vm.host)"]
    }

    private func verifyGuest(
        recordingTo row: inout ScenarioResult, on host: HostName, baseline before: HeartbeatTrace,
        since fault: Instant
    ) async throws {
        let end = Instant.now + Limits.fullSpeed
        repeat {
            try await pulse.waitForBeats(count: 4)
            row.recovery = pulse.trace.fullSpeed(from: fault, as: before).map { $0 - fault }
        } while row.recovery == nil && Instant.now < end
        if row.recovery == nil { row.violations.append("the guest does not run at full speed") }
        if run.scenario.load == .restless {
            try await run.setGuestRate(FaultRig.load.rate, on: host)
        }
        let wrong = try await pulse.verifyAll(on: host)
        if wrong != 0 { row.violations.append("\(wrong) wrong pages") }
        let trace = pulse.trace
        if trace.errors != 0 { row.violations.append("\(trace.errors) wrong pages on the way") }
        if let (left, right) = trace.firstBreak {
            row.violations.append("heartbeat \(right) came after \(left)")
        }
    }

    /// Gone only with the process that was killed, and its host says so.
    private func verifyLoss(recordingTo row: inout ScenarioResult, of vm: VMInfo, on side: Side)
        async throws
    {
        if !run.scenario.mayLose.contains(side) {
            row.violations.append(
                "the VM is lost: \(vm.state.rawValue), \(vm.exit?.detail ?? "no reason"), \(vm.warning ?? "no warning")"
            )
        }
        if vm.exit?.reason != .processDied || vm.processID != nil {
            row.violations.append("its end is not told: \(vm.exit?.detail ?? "no reason")")
        }
        try await cluster.agentClient(for: vm.host).deleteVM(named: vm.name)
    }

    private func codeViolations(endingAt side: Side, isLost: Bool) -> [String] {
        guard let outcome else { return [] }
        var violations: [String] = []
        if let failure = outcome.failure {
            // A guest that writes too fast may also be the reason.
            let mayGiveUp = run.scenario.load == .restless
            let codes = mayGiveUp ? Self.codes.union([.notConverged]) : Self.codes
            if !codes.map(\.rawValue).contains(failure.code) {
                violations.append("unexpected code \(failure.code): \(failure.message)")
            }
        } else if side == .source {
            violations.append("told as moved, and is at the source")
        }
        if outcome.failure?.vmIsRunning == true, side == .destination {
            violations.append("told as running at the source, and is at the destination")
        }
        return violations
    }
}
