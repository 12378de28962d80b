// What faults do.

import Migration
import MigrationProtocol
import Model
import Ownership

extension World {
    func strike(_ fault: Fault) {
        scheduler.say("FAULT \(fault)")
        tally.count("fault")
        switch fault {
        case .cut(let one, let other):
            for connection in network.connections(between: one, other) { network.cut(connection) }
        case .partition(let from, let to, let bothWays, let lasts, let resets):
            partition(from, to, bothWays, lasts, resets)
        case .stall(let one, let other, let lasts):
            let stalled = network.connections(between: one, other)
            for connection in stalled { network.setStalled(true, connection) }
            after(lasts) { [self] in
                for connection in stalled { network.setStalled(false, connection) }
            }
        case .slowLink(let from, let to, let bytesPerSecond, let lasts):
            network.setSpeed(from: from, to: to, bytesPerSecond)
            after(lasts) { [self] in
                network.setSpeed(from: from, to: to, plan.network.bytesPerSecond)
            }
        case .crashAgent(let host, let pause): crash(hosts[host], pause)
        case .stopAgent(let host, let pause): stop(hosts[host], pause)
        case .losePower(let host, let pause): losePower(hosts[host], pause)
        case .killVMM(let host, let vm):
            for vmm in vmms where vmm.host == host && vmm.vm === vms[vm] { vmm.kill() }
        case .diskFails(let host, let lasts): disk(host, .fails, lasts)
        case .diskIsFull(let host, let lasts): disk(host, .full, lasts)
        case .diskIsSlow(let host, let write, let lasts):
            hosts[host].disk.write = write
            after(lasts) { [self] in hosts[host].disk.write = hosts[host].disk.usualWrite }
        case .takeOver(let host, let vm): hosts[host].agent?.takeOver(vms[vm])
        case .cancel(let vm):
            for attempt in attempts where attempt.vm === vms[vm] && !attempt.isOver {
                attempt.cancel(at: scheduler.now)
                scheduler.say("cancel: \(attempt.cancelRefusal.map { "\($0)" } ?? "accepted")")
            }
        }
    }

    /// A crash has kept a record whose write had not ended: as if it had, and the crash came then.
    private func recordTornWrite(of host: SimHost, _ record: LedgerRecord?) {
        if let record { recorder?.wrote(record, on: host.index) }
    }

    /// Ends a fault, unless everything has been healed by then.
    func after(_ duration: Duration, _ action: @escaping () -> Void) {
        scheduler.plan(after: UInt64(duration.wholeNanoseconds)) { [self] in
            if !isHealing { action() }
        }
    }

    private func partition(
        _ from: Int, _ to: Int, _ bothWays: Bool, _ lasts: Duration, _ resets: Bool
    ) {
        network.block(from: from, to: to)
        if bothWays { network.block(from: to, to: from) }
        after(lasts) { [self] in
            if resets {
                for connection in network.connections(between: from, to) {
                    network.cut(connection)
                }
            }
            network.unblock(from: from, to: to)
            if bothWays { network.unblock(from: to, to: from) }
            scheduler.say("the partition is over")
        }
    }

    private func crash(_ host: SimHost, _ pause: Duration) {
        guard host.agent != nil else { return }
        recordTornWrite(of: host, host.disk.agentCrashed())
        killAgent(host, hostVanishes: false)
        after(pause) { [self] in startAgent(host) }
    }

    private func stop(_ host: SimHost, _ pause: Duration) {
        guard let agent = host.agent else { return }
        scheduler.start(agent.process, "shutdown") { [self] in
            guard agent.shutDown() else { return }
            tally.count("stopped in good order")
            agentStopped(host, restartsAfter: pause)
        }
    }

    private func losePower(_ host: SimHost, _ pause: Duration) {
        guard !network.isGone(host.index) else { return }
        recordTornWrite(of: host, host.disk.powerLost())
        for vmm in vmms where vmm.host == host.index { vmm.kill() }
        killAgent(host, hostVanishes: true)
        network.hostVanished(host.index)
        after(pause) { [self] in startAgent(host) }
    }

    private func disk(_ host: Int, _ condition: SimDisk.Condition, _ lasts: Duration) {
        hosts[host].disk.condition = condition
        after(lasts) { [self] in hosts[host].disk.condition = .works }
    }
}
