// What must be true: at every moment, after each migration, and at the end.

import Host
import Migration
import Model
import Ownership
import VMControl

extension World {
    // MARK: At every moment

    /// A guest has begun to run, or has stopped.
    func guestChanged(_ vmm: SimVMM) {
        let vm = vmm.vm
        let state = vmm.isAlive ? vmm.lifecycle.state.rawValue : "gone"
        scheduler.say("\(vm.spec.name) on \(hosts[vmm.host].name) is \(state)")
        guard vmm.isRunning else { return }
        checkOneOwner(vm)
        if let page = vm.content.firstDifference(in: vmm.memory) {
            scheduler.fail(
                "\(vm.spec.name) runs on \(hosts[vmm.host].name) with a wrong page \(page)")
        }
    }

    func recordWritten(_ record: LedgerRecord) {
        moment("written \(record.kind)")
        if let vm = vms.first(where: { $0.id == record.vm }) { checkOneOwner(vm) }
    }

    /// At most one guest runs, where the ledger allows it; at most one ledger does.
    private func checkOneOwner(_ vm: SimVM) {
        let running = vmms.filter { $0.vm === vm && $0.isRunning }
        if running.count > 1 {
            let names = running.map { hosts[$0.host].name.text }
            scheduler.fail("\(vm.spec.name) runs on \(names.joined(separator: " and "))")
        }
        let owners = owners(of: vm)
        if owners.count > 1 {
            let names = owners.map(\.name.text)
            scheduler.fail("\(vm.spec.name) is owned by \(names.joined(separator: " and "))")
        }
        for vmm in running where !owners.contains(where: { $0.index == vmm.host }) {
            scheduler.fail(
                "\(vm.spec.name) runs on \(hosts[vmm.host].name), whose ledger says "
                    + "\(String(describing: hosts[vmm.host].disk.book.ownerships[vm.id]))")
        }
    }

    func owners(of vm: SimVM) -> [SimHost] {
        hosts.filter { $0.disk.book.ownerships[vm.id]?.mayRun == true }
    }

    // MARK: After a migration

    func check(
        _ attempt: Attempt, _ result: Result<MigrationReport, MigrationFailure>, _ vmm: SimVMM
    ) {
        attempt.result = result
        switch result {
        case .success(let report) where report.rehearsal != nil:
            scheduler.say("rehearsal ended")
            tally.count("rehearsed")
            checkUntouched(vmm)
        case .success(let report):
            scheduler.say(
                "migration out ended: downtime \(report.downtime), reconnects \(report.reconnects)")
            tally.count("handed over")
            if vmm.isRunning { scheduler.fail("it was handed over and runs at its source") }
        case .failure(let failure):
            scheduler.say("migration out failed: \(failure)")
            tally.count(failure)
            if case .runsAtSource = failure.aftermath { checkUntouched(vmm) }
        }
        checkCancel(attempt, result)
    }

    private func checkUntouched(_ vmm: SimVMM) {
        guard vmm.isAlive else { return }
        if !vmm.isRunning { scheduler.fail("it failed, and the guest does not run at its source") }
        if vmm.throttlePercent > 0 { scheduler.fail("it failed, and the guest is held back") }
        if vmm.isLogging { scheduler.fail("it failed, and the dirty log goes on") }
    }

    private func checkCancel(
        _ attempt: Attempt, _ result: Result<MigrationReport, MigrationFailure>
    ) {
        guard let cancelledAt = attempt.cancelledAt else { return }
        tally.count("cancelled")
        let duration = Duration.nanoseconds(Int64(scheduler.now - cancelledAt))
        tally.cancelDurations.append(duration)
        switch result {
        case .success(let report) where report.rehearsal != nil: break
        case .success: scheduler.fail("a cancel was accepted, and the VM moved")
        case .failure(let failure):
            if case .unresolved = failure.aftermath {
                scheduler.fail("a cancel was accepted, and the VM was released")
            }
        }
        if duration > CheckBounds.cancel {
            scheduler.fail("a cancel took \(duration)")
        }
    }

    // MARK: At the end

    /// Every fault is over and everybody had time to settle.
    func checkEnd() {
        for vm in vms {
            let owners = owners(of: vm)
            guard owners.count == 1, let owner = owners.first else {
                return scheduler.fail("\(vm.spec.name) has \(owners.count) owners at the end")
            }
            for vmm in vmms where vmm.vm === vm && vmm.isAlive && vmm.host != owner.index {
                scheduler.fail(
                    "a process of \(vm.spec.name) is left on \(hosts[vmm.host].name) at the end")
            }
            guard let vmm = owner.agent?.guest(vm)?.vmm else {
                return scheduler.fail("\(vm.spec.name)'s owner has nothing of it")
            }
            if !vmm.isRunning, !vmm.wasKilled {
                scheduler.fail("\(vm.spec.name) does not run on its owner \(owner.name)")
            }
            vmm.catchUp()
            if vmm.isAlive, let page = vm.content.firstDifference(in: vmm.memory) {
                scheduler.fail("\(vm.spec.name) has a wrong page \(page) at the end")
            }
        }
    }

    /// Every agent has stopped in good order.
    func checkNothingIsLeft() {
        let threads = scheduler.threadNames.filter { !$0.hasPrefix("operator/") }
        if !threads.isEmpty { scheduler.fail("threads are left: \(threads)") }
        if !network.connections.isEmpty {
            scheduler.fail("\(network.connections.count) connections are left")
        }
    }
}

enum CheckBounds {
    /// From an accepted cancel to the end of the migration.
    static let cancel = Duration.seconds(2)
}
