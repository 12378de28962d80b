// The decisions of the controller: all records of the store, what heartbeats say, and what follows from both. It does no
// I/O, and time enters with each call.
//
//   requests, heartbeats, results of commands, ticks ──▶ Cluster ──▶ Output: records to store, commands to agents
//
//   records         all that the store keeps, with its indices        observations   what heartbeats said
//   scheduling      the scheduler's picture of both                   commands       to agents, and pauses between them
//   progress        of operations under way                           balancer       what balance remembers
//
// One call changes memory at once. Its output must be stored before a caller is answered: when that fails, the value is
// thrown away and made again from the store. So commands are orders that the store already knows, and the next leader
// gives them again. The agents' ledgers decide who owns a VM; records follow them by epoch.

import API
package import Model
package import Placement

package struct Cluster {
    package let settings: ControlSettings
    /// The leader's: it is in every answer and every command.
    package let term: Term
    var records: ClusterRecords
    var observations: Observations
    var scheduling: Scheduling
    var commands: CommandQueue
    /// Of operations that are not over.
    var progress: [OperationID: OperationProgress] = [:]
    var balancer = BalancerState()
    private var identifiers: (SplitMix64, SplitMix64)

    /// - Parameters:
    ///   - stored: all that the store has.
    ///   - seed: random bits, for identifiers that are made here.
    package init(
        records stored: [ClusterRecord], settings: ControlSettings, term: Term, seed: Identifier128,
        now: Moment
    ) throws(ClusterStateError) {
        self.settings = settings
        self.term = term
        identifiers = (SplitMix64(seed: seed.high), SplitMix64(seed: seed.low))
        records = ClusterRecords(
            records: stored, defaultBalance: BalanceSettings(mode: settings.balance))
        observations = Observations(of: records, at: now.uptime)
        commands = CommandQueue(waiting: records.vms.all.map(\.id))
        scheduling = Scheduling(policy: settings.policy, seed: settings.seed)
        try scheduling.rebuildState(from: records, observed: observations, at: now)
    }

    mutating func newIdentifier() -> Identifier128 {
        Identifier128(high: identifiers.0.next(), low: identifiers.1.next())
    }

    /// What is to be stored under a key now; nil: it is to be removed.
    package func storedRecord(under key: RecordKey) -> ClusterRecord? {
        records.storedRecord(under: key)
    }
}

// MARK: - Changing records

extension Cluster {
    mutating func storeHostRecord(_ host: HostRecord, in context: inout Context) {
        guard let change = records.hosts.storeRecord(host, in: &context),
            change.before?.state != change.after.state
        else { return }
        context.reportEvent(.hostChanged(host.name, host.state))
        scheduling.setHostState(host.state, of: host.name)
        if host.state == .active { retryUnplacedVMs() }
    }

    /// There may be a host now for VMs that no host would take.
    private mutating func retryUnplacedVMs() {
        for id in commands.waitingVMs {
            guard let vm = records.vms[id], vm.place == nil, vm.start == nil else { continue }
            commands.clearRetryDelay(for: id)
        }
    }

    mutating func storeVMRecord(_ vm: ClusterVMRecord, in context: inout Context) {
        guard let change = records.vms.storeRecord(vm, in: &context) else { return }
        scheduling.applyChange(change, use: observations[vm.id]?.use, at: context.now)
    }

    mutating func removeVMRecord(_ vm: ClusterVMRecord, in context: inout Context) {
        records.vms.removeRecord(of: vm, in: &context)
        observations.stopObserving(vm: vm.id)
        commands.removeEntries(for: vm.id)
        scheduling.removeVM(withID: vm.id)
    }

    /// Orders something of an agent; the answer comes to `commandEnded`.
    mutating func sendOrder(
        _ order: AgentCommand.Order, for vm: VMID, to host: HostName, in context: inout Context
    ) {
        guard let record = records.hosts[host] else { return }
        commands.enqueueOrder(order, for: vm, to: record, in: &context)
    }
}

// MARK: - What is known of hosts

extension Cluster {
    /// It answers, and has said since this controller leads what it has.
    func hasCurrentHeartbeat(from host: HostName) -> Bool {
        records.hosts[host]?.silence == nil && (observations[host]?.heartbeatCount ?? 0) > 0
    }

    /// Nothing of a VM that was there runs any more.
    func isHostFenced(named host: HostName, leased: Bool) -> Bool {
        switch records.hosts[host]?.silence?.fence {
        case .operator: true
        case .lease: leased
        case nil: false
        }
    }

    /// The source of a migration says that it knows it.
    func isConfirmedBySource(move: MoveOrder) -> Bool {
        hasCurrentHeartbeat(from: move.from)
            && (observations[move.from]?.hasReported(migration: move.migration) ?? false)
    }

    func latestReport(of vm: VMID, from host: HostName) -> VMReport? {
        observations[vm]?.latestReport(from: host)
    }
}
