// All simulated hosts: a value that changes by what it is asked, with time from outside. VMs move between its hosts.
//
// A migration that is due ends at the next question that anyone asks.

package import API
package import Host
package import Model

package struct SimulatedHosts: Sendable {
    let load: @Sendable (VMID, VMSpec) -> VMLoad
    /// How long a migration of so much used memory takes.
    let migrationTime: @Sendable (UInt64) -> Duration
    private(set) var names: [HostName] = []
    var hosts: [HostName: SimulatedHost] = [:]
    /// Migrations under way, and when each ends.
    var underWay: [MigrationID: (source: HostName, end: Instant, failure: FailureCode?)] = [:]
    private var nextEnd: Instant?

    package init(
        _ names: [HostName], cores: Int, memoryBytes: UInt64,
        load: @escaping @Sendable (VMID, VMSpec) -> VMLoad,
        migrationTime: @escaping @Sendable (UInt64) -> Duration
    ) {
        self.load = load
        self.migrationTime = migrationTime
        self.names = names
        for name in names {
            hosts[name] = SimulatedHost(name: name, cores: cores, memoryBytes: memoryBytes)
        }
    }

    /// The next such commands to this host go wrong, one after the other.
    package mutating func failCommands(
        of command: SimulatedCommand, on host: HostName, with failures: [SimulatedFailure]
    ) {
        hosts[host]?.failures[command, default: []] += failures
    }

    package mutating func nextHeartbeat(of host: HostName, now: Instant) -> Heartbeat? {
        advanceTime(to: now)
        return hosts[host]?.heartbeat()
    }

    package mutating func acknowledgeHeartbeat(_ heartbeat: Heartbeat, of host: HostName) {
        hosts[host]?.acknowledgeHeartbeat(heartbeat)
    }

    func findHost(named name: HostName) throws(Problem) -> SimulatedHost {
        guard let host = hosts[name] else { throw Problem(.hostUnknown, detail: "no host \(name)") }
        return host
    }

    /// Takes the next thing that shall go wrong with such a command.
    mutating func removeNextFailure(of command: SimulatedCommand, on host: HostName)
        -> SimulatedFailure?
    {
        guard let next = hosts[host]?.failures[command]?.first else { return nil }
        hosts[host]?.failures[command]?.removeFirst()
        return next
    }

    // MARK: VMs

    mutating func createVM(from request: CreateVM, on name: HostName) throws(Problem) -> VMInfo {
        var host = try findHost(named: name)
        let id = request.id ?? .random()
        let epoch = request.epoch ?? 1
        if let there = host.vms[request.spec.name] {
            guard there.id == id, there.epoch == epoch else {
                throw Problem(
                    .nameTaken, detail: "\(name) has another VM called \(request.spec.name)")
            }
            return there.makeVMInfo(on: name)
        }
        if let known = host.epochs[id], known >= epoch {
            throw Problem(.ledgerMovedOn, detail: "the ledger knows epoch \(known) of the VM")
        }
        let vm = SimulatedVM(
            id: id, spec: request.spec, epoch: epoch,
            state: request.paused == true ? .paused : .running, load: load(id, request.spec))
        host.vms[request.spec.name] = vm
        hosts[name] = host
        return vm.makeVMInfo(on: name)
    }

    mutating func deleteVM(named vm: VMName, id: VMID?, on name: HostName) throws(Problem) {
        let there = try self.findVM(named: vm, on: name)
        guard id == nil || there.id == id else {
            throw Problem(.vmNotFound, detail: "the VM \(vm) on \(name) is another one")
        }
        guard there.migration == nil else { throw Problem(.vmBusy, detail: "\(vm) is being moved") }
        hosts[name]?.vms[vm] = nil
        hosts[name]?.epochs[there.id] = there.epoch
    }

    mutating func performAction(
        _ action: VMAction, on vm: VMName, at name: HostName
    ) throws(Problem) -> VMInfo {
        var there = try self.findVM(named: vm, on: name)
        guard there.migration == nil else { throw Problem(.vmBusy, detail: "\(vm) is being moved") }
        switch action {
        case .pause: there.state = .paused
        case .resume, .start, .reset:
            there.state = .running
            there.exit = nil
        case .stop:
            there.state = .stopped
            there.exit = VMExit(reason: .stopped, detail: "stopped on request")
        }
        hosts[name]?.vms[vm] = there
        return there.makeVMInfo(on: name)
    }

    func findVM(named vm: VMName, on name: HostName) throws(Problem) -> SimulatedVM {
        guard let there = try findHost(named: name).vms[vm] else {
            throw Problem(.vmNotFound, detail: "\(name) has no VM \(vm)")
        }
        return there
    }

    /// A guest ends by itself.
    mutating func crashGuest(of vm: VMName) {
        for name in names where hosts[name]?.vms[vm]?.migration == nil {
            hosts[name]?.vms[vm]?.state = .failed
            hosts[name]?.vms[vm]?.exit = VMExit(reason: .tripleFault, detail: "triple fault")
        }
    }

    // MARK: Time

    /// Ends the migrations that are due.
    mutating func advanceTime(to now: Instant) {
        guard let nextEnd, nextEnd <= now else { return }
        for (id, move) in underWay where move.end <= now {
            underWay[id] = nil
            finishMigration(id: id, from: move.source, failure: move.failure)
        }
        self.nextEnd = underWay.values.map(\.end).min()
    }

    mutating func scheduleEnd(
        of id: MigrationID, from source: HostName, at end: Instant, failure: FailureCode?
    ) {
        underWay[id] = (source, end, failure)
        nextEnd = min(nextEnd ?? end, end)
    }
}
