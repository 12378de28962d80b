// The cluster's mind: all records of the store, what heartbeats say, and what follows from both. It decides and orders;
// it does no I/O, and time enters with each call.
//
//   requests, heartbeats, results of commands, ticks ──▶ Cluster ──▶ Output: records to store, commands to agents
//
// One call changes memory at once. Its output must be stored before anybody hears of it: when that fails, the value is
// thrown away and made again from the store. So commands are orders that the store already knows, and whoever leads
// next gives them again. Agents' ledgers decide who owns a VM; records follow them by epoch.

import API
package import Model
package import Placement

/// What heartbeats have said of a host since this controller leads.
struct HostSight {
    var agentID: Identifier128?
    var sequence: UInt64 = 0
    /// When it was last heard, and last granted a lease: before the first time, when this controller began to lead.
    var heardAt: Duration
    var grantedAt: Duration
    /// When it was last fenced.
    var fencedAt: Duration?
    var heartbeats = 0
    var cpuCores = 0.0
    var memoryUsedBytes: UInt64 = 0
    var pressure = HostPressure()
    var reported: Set<VMID> = []
    var migrations: [MigrationID: MigrationInfo] = [:]
}

/// What is known of a VM beside its record.
struct VMSight {
    /// By host; one has it, or two while it moves.
    var reports: [HostName: VMReport] = [:]
    var command: CommandID?
    /// No new command before this.
    var retryAt: Duration = .zero
    var backOff: Duration = .zero
    var runsSince: Duration?
    /// Its host answers and does not have it.
    var missingSince: Duration?
    var releasedSince: Duration?
    var cpuCores: Double?
    var memoryUsedBytes: Double?
    var dirtyBytesPerSecond: Double?
    /// Hosts that refused to start it, until then.
    var refusedBy: [HostName: Duration] = [:]
    var movesEnded: [MigrationID: MigrationInfo] = [:]
    /// Of the move under way: the source was asked what came of it, or told to stop.
    var isMoveAsked = false
    var isCancelSent = false
    /// Its order was made by this controller, and every answer to it came.
    var isMoveFresh = false
    /// The source did not take the order; it may have taken it before.
    var moveRefusal: String?
    /// Heartbeats of the source when it was first said that the move came to nothing.
    var doubtSince: Int?
    /// The destination runs it, and the source has no figures yet.
    var arrivedSince: Duration?
}

package struct Cluster {
    package let settings: ControlSettings
    /// The leader's: it is in every answer and every command.
    package let term: Term
    var hosts: [HostName: HostRecord] = [:]
    var vms: [VMName: ClusterVMRecord] = [:]
    var groups: [String: GroupRecord] = [:]
    var operations: [OperationID: OperationRecord] = [:]
    var tokens: [String: TokenRecord] = [:]
    var balance: BalanceRecord
    var names: [VMID: VMName] = [:]
    var hostSights: [HostName: HostSight] = [:]
    var vmSights: [VMID: VMSight] = [:]
    /// VMs that a host's heartbeat may concern.
    var concerned: [HostName: Set<VMID>] = [:]
    /// VMs that wait for time to pass, or for room.
    var waiting: Set<VMID> = []
    /// What agents have that no record knows.
    var unmanaged: [HostName: [VMID: VMReport]] = [:]
    var hostNames = SortedNames<HostName>()
    var vmNames = SortedNames<VMName>()
    /// Everything as the scheduler sees it; kept in step with the records.
    var scheduler: ClusterState
    var commands: [CommandID: AgentCommand] = [:]
    private var lastCommand: CommandID = 0
    /// VMs with a move: ordered, under way, or of unknown outcome.
    private(set) var moving: Set<VMID> = []
    /// Of operations that are not over; see `Cluster+Moves`.
    var operationSights: [OperationID: OperationSight] = [:]
    /// The balancer's memory: see `Cluster+Balance`.
    var balancer = BalancerSight()
    /// Fitted to what migrations took.
    var costs = MigrationCostModel()

    private var identifiers: (SplitMix64, SplitMix64)

    /// - Parameters:
    ///   - records: all that the store has.
    ///   - seed: random bits, for identifiers that are made here.
    package init(
        _ records: [ClusterRecord], settings: ControlSettings, term: Term, seed: Identifier128,
        now: Moment
    ) throws(ClusterStateError) {
        self.settings = settings
        self.term = term
        identifiers = (SplitMix64(seed: seed.high), SplitMix64(seed: seed.low))
        balance = BalanceRecord(settings: BalanceSettings(mode: settings.balance))
        scheduler = ClusterState(migrationOverheadBytes: Limits.migrationOverheadBytes)
        for record in records { take(record) }
        for host in hosts.keys {
            hostSights[host] = HostSight(heardAt: now.uptime, grantedAt: now.uptime)
            if hosts[host]?.silence?.fence != nil { hostSights[host]?.fencedAt = now.uptime }
        }
        hostNames = SortedNames(hosts.keys)
        vmNames = SortedNames(vms.keys)
        for vm in vms.values {
            names[vm.id] = vm.name
            vmSights[vm.id] = VMSight()
            waiting.insert(vm.id)
            if vm.move != nil { moving.insert(vm.id) }
            for host in vm.hostsConcerned { concerned[host, default: []].insert(vm.id) }
        }
        try rebuildScheduler(now)
    }

    mutating func newIdentifier() -> Identifier128 {
        Identifier128(high: identifiers.0.next(), low: identifiers.1.next())
    }

    private mutating func take(_ record: ClusterRecord) {
        switch record {
        case .host(let host): hosts[host.name] = host
        case .vm(let vm): vms[vm.name] = vm
        case .group(let group): groups[group.group.name] = group
        case .operation(let operation): operations[operation.info.id] = operation
        case .balance(let balance): self.balance = balance
        case .token(let token): tokens[token.name] = token
        }
    }

    /// What is to be stored under a key now; nil: it is to be removed.
    package func record(_ key: RecordKey) -> ClusterRecord? {
        switch key {
        case .host(let name): hosts[name].map { .host($0) }
        case .vm(let name): vms[name].map { .vm($0) }
        case .group(let name): groups[name].map { .group($0) }
        case .operation(let id): operations[id].map { .operation($0) }
        case .balance: .balance(balance)
        case .token(let name): tokens[name].map { .token($0) }
        }
    }
}

// MARK: - Changing records

extension Cluster {
    mutating func save(_ host: HostRecord, _ output: inout Output) {
        guard hosts[host.name] != host else { return }
        let before = hosts[host.name]
        var host = host
        host.version = (before?.version ?? 0) + 1
        hosts[host.name] = host
        output.note(.host(host.name))
        if before?.state != host.state {
            output.tell(.hostChanged(host.name, host.state))
            if let index = scheduler.host(named: host.name.text) {
                scheduler.setState(host.state, of: index)
            }
            if host.state == .active { lookAgainForRoom() }
        }
    }

    /// There may be a host now for VMs that none would take.
    private mutating func lookAgainForRoom() {
        for id in waiting {
            guard let vm = names[id].flatMap({ vms[$0] }), vm.place == nil, vm.start == nil else {
                continue
            }
            vmSights[id]?.backOff = .zero
            vmSights[id]?.retryAt = .zero
        }
    }

    mutating func save(_ vm: ClusterVMRecord, _ output: inout Output, _ now: Moment) {
        let before = vms[vm.name]
        guard before != vm else { return }
        var vm = vm
        vm.version = (before?.version ?? 0) + 1
        vms[vm.name] = vm
        output.note(.vm(vm.name))
        if vm.move == nil { moving.remove(vm.id) } else { moving.insert(vm.id) }
        for host in before?.hostsConcerned ?? [] { concerned[host]?.remove(vm.id) }
        for host in vm.hostsConcerned { concerned[host, default: []].insert(vm.id) }
        showScheduler(vm, before: before, now)
    }

    mutating func remove(_ vm: ClusterVMRecord, _ output: inout Output) {
        vms[vm.name] = nil
        vmNames.remove(vm.name)
        names[vm.id] = nil
        vmSights[vm.id] = nil
        waiting.remove(vm.id)
        moving.remove(vm.id)
        for host in vm.hostsConcerned { concerned[host]?.remove(vm.id) }
        if let row = scheduler.vm(vm.id) { scheduler.remove(row) }
        output.note(.vm(vm.name))
    }
}

// MARK: - Commands

extension Cluster {
    /// Orders something of an agent; the answer comes to `commandEnded`.
    mutating func order(
        _ order: AgentCommand.Order, for vm: VMID, on host: HostName, _ output: inout Output
    ) {
        guard let record = hosts[host] else { return }
        lastCommand += 1
        let command = AgentCommand(
            id: lastCommand, host: host, apiAddress: record.registration.apiAddress, vm: vm,
            order: order)
        commands[command.id] = command
        vmSights[vm]?.command = command.id
        output.send(command)
    }

    /// A command was answered, or was not.
    package mutating func commandEnded(
        _ id: CommandID, _ result: CommandResult, _ now: Moment, _ output: inout Output
    ) {
        guard let command = commands.removeValue(forKey: id), let name = names[command.vm],
            vmSights[command.vm]?.command == id
        else { return }
        vmSights[command.vm]?.command = nil
        switch result {
        case .unanswered(let why):
            backOff(command.vm, now)
            output.tell(.commandFailed(name, command.host, why))
        case .refused(let problem):
            backOff(command.vm, now)
            output.tell(.commandFailed(name, command.host, problem.detail))
        case .done, .vm, .migration: vmSights[command.vm]?.backOff = .zero
        }
        take(result, of: command, name, now, &output)
        reconcile(name, now, &output)
    }

    /// The next command for a VM waits, twice as long as the last time.
    mutating func backOff(_ vm: VMID, _ now: Moment) {
        guard var sight = vmSights[vm] else { return }
        sight.backOff = min(
            max(sight.backOff * 2, Limits.commandBackOffFirst), Limits.commandBackOffMax)
        sight.retryAt = now.uptime + sight.backOff
        vmSights[vm] = sight
        waiting.insert(vm)
    }
}

extension ClusterVMRecord {
    /// Hosts whose word about this VM counts.
    var hostsConcerned: Set<HostName> {
        var hosts = Set(retired.map(\.host))
        if let place { hosts.insert(place.host) }
        if let start { hosts.insert(start.host) }
        if let move {
            hosts.insert(move.from)
            hosts.insert(move.to)
        }
        return hosts
    }

    mutating func raiseEpoch(to epoch: UInt64) { epochMax = max(epochMax, epoch) }
}
