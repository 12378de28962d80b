// Everything of one run: hosts, network, VMs, and the one look at all of them that no host has.

import Host
import Migration
import Model
import Ownership
import Synchronization
import VMControl

/// `@unchecked`: whoever holds the baton may touch it.
final class World: @unchecked Sendable {
    let scheduler: Scheduler
    let network: SimNetwork
    let plan: Scenario
    let plant: Plant
    /// Nil for runs that the explorer's model does not cover.
    let recorder: TraceRecorder?
    private(set) var hosts: [SimHost] = []
    private(set) var vms: [SimVM] = []
    var vmms: [SimVMM] = []
    var attempts: [Attempt] = []
    var tally = Tally()
    /// How often each moment has come.
    private var moments: [String: Int] = [:]
    /// Faults that wait for a moment or a step, by their place in the plan.
    private var waiting: [(moment: String, count: Int, fault: Int)] = []
    private var steps: [(step: Int, fault: Int)] = []
    private var random: SeededRandom
    private var nextConnection: UInt64 = 1
    private var nextVMM = 1
    /// The time of faults is over.
    private(set) var isHealing = false

    /// How many there are, to see that none is left behind.
    static let alive = Atomic<Int>(0)

    deinit { Self.alive.subtract(1, ordering: .relaxed) }

    init(_ plan: Scenario, plant: Plant, isReadable: Bool) throws {
        self.plan = plan
        self.plant = plant
        random = SeededRandom(seed: plan.seed)
        scheduler = Scheduler(
            random: random.split(), switchChance: plan.switchChance, isReadable: isReadable)
        let names = try (0..<plan.hosts).map { try HostName(["a", "b", "c"][$0]) }
        recorder = TraceRecorder(of: plan, names: names)
        network = SimNetwork(
            scheduler: scheduler, random: random.split(), cluster: try ClusterName("sim"),
            names: names, plan: plan.network)
        network.recorder = recorder
        hosts = names.enumerated().map { index, name in
            SimHost(
                index: index, name: name,
                disk: SimDisk(write: plan.diskWrite, random: random.split()))
        }
        Self.alive.add(1, ordering: .relaxed)
        vms = try plan.vms.enumerated().map { index, plan in
            SimVM(
                id: VMID(high: 1, low: UInt64(index + 1)), plan: plan,
                name: try VMName("vm\(index)"), seed: random.next())
        }
    }

    /// Every VM at home and running, every agent up, every fault planned.
    func begin() {
        for vm in vms {
            let host = hosts[vm.plan.home]
            host.disk.commit(.owned(vm: vm.id, epoch: .first, migration: nil))
            let vmm = newVMM(vm, on: host, state: .paused)
            vm.content.fill(vmm.memory)
            host.add(SimHost.Folder(vm: vm, vmm: vmm))
            _ = vmm.resume()
        }
        for host in hosts { startAgent(host) }
        scheduler.onTime = { [unowned self] in
            for vmm in vmms where vmm.isRunning { vmm.catchUp() }
        }
        scheduler.onStep = { [unowned self] step in
            while let next = steps.first, next.step <= step {
                steps.removeFirst()
                strike(next.fault)
            }
        }
        for index in plan.faults.indices { arm(index) }
        recorder?.begin()
    }

    private func arm(_ fault: Int) {
        switch plan.faults[fault].trigger {
        case .time(let time):
            strike(fault, after: time)
        case .step(let step):
            steps.append((step, fault))
            steps.sort { $0.step < $1.step }
        case .moment(let name, let count): waiting.append((name, count, fault))
        case .afterPrevious: break
        }
    }

    private func strike(_ fault: Int, after time: Duration) {
        scheduler.plan(after: UInt64(time.wholeNanoseconds)) { [unowned self] in
            if !isHealing { strike(fault) }
        }
    }

    private func strike(_ fault: Int) {
        strike(plan.faults[fault].fault)
        guard fault + 1 < plan.faults.count,
            case .afterPrevious(let pause) = plan.faults[fault + 1].trigger
        else { return }
        strike(fault + 1, after: pause)
    }

    /// No more faults, and those that last are over.
    func heal() {
        isHealing = true
        steps = []
        waiting = []
        network.healAll()
        for from in hosts.indices {
            for to in hosts.indices {
                network.setSpeed(from: from, to: to, plan.network.bytesPerSecond)
            }
        }
        for host in hosts {
            host.disk.condition = .works
            host.disk.write = host.disk.usualWrite
            if host.agent == nil { startAgent(host) }
        }
    }

    /// Something of this name happens now.
    func moment(_ name: String) {
        scheduler.say(name)
        let count = (moments[name] ?? 0) + 1
        moments[name] = count
        while let index = waiting.firstIndex(where: { $0.moment == name && $0.count == count }) {
            strike(waiting.remove(at: index).fault)
        }
    }

    /// Lets go of what holds the world in turn.
    func dissolve() {
        for host in hosts { host.agent = nil }
        hosts = []
        vmms = []
        attempts = []
        network.dissolve()
    }

    // MARK: Makes

    func newConnectionID() -> ConnectionID {
        nextConnection += 1
        return ConnectionID(nextConnection)
    }

    /// Far from one another: an attempt that is renewed takes the next.
    func newMigrationID() -> MigrationID {
        MigrationID(high: 2, low: UInt64(attempts.count + 1) * 1000)
    }

    func newVMM(_ vm: SimVM, on host: SimHost, state: VMState) -> SimVMM {
        do {
            let vmm = try SimVMM(self, number: nextVMM, vm: vm, host: host.index, state: state)
            nextVMM += 1
            vmms.append(vmm)
            recorder?.guestChanged(vmm)
            return vmm
        } catch { fatalError("no memory for a simulated guest: \(error)") }
    }

    func address(of host: SimHost) -> PeerAddress {
        PeerAddress(name: host.name, address: SocketAddress(ip: "10.0.0.1", port: 1))
    }

    func startAgent(_ host: SimHost) {
        guard host.agent == nil else { return }
        if network.isGone(host.index) { network.hostReturned(host.index) }
        host.starts += 1
        let process = SimProcess(
            name: host.starts == 1 ? host.name.text : "\(host.name)#\(host.starts)")
        scheduler.add(process)
        let runtime = SimRuntime(
            scheduler: scheduler, process: process, network: network, host: host.index,
            random: random.split())
        let agent = SimAgent(self, host, process, runtime)
        host.agent = agent
        process.whenItDies { [scheduler] in
            // Its server goes on accepting until it is stopped.
            scheduler.start(process, "unwind") { agent.stop() }
        }
        scheduler.start(process, "main") { agent.main() }
    }

    /// The agent has shut down in good order.
    func agentStopped(_ host: SimHost, restartsAfter pause: Duration) {
        scheduler.say("the agent of \(host.name) has stopped")
        _ = host.disk.agentCrashed()
        killAgent(host, hostVanishes: false)
        if isHealing { startAgent(host) } else { after(pause) { [self] in startAgent(host) } }
    }

    /// Ends the process; its threads unwind before anything else happens.
    func killAgent(_ host: SimHost, hostVanishes: Bool) {
        guard let agent = host.agent else { return }
        host.agent = nil
        recorder?.agentEnded(on: host)
        network.processEnded(agent.process, hostVanishes: hostVanishes)
        scheduler.kill(agent.process)
    }
}
