// What a simulated agent does with the VMs that it finds at its start. The rules are MigrationProtocol's own.

import Host
import Migration
import Model
import Ownership
import VMControl

extension SimAgent {
    /// VMs that have a folder, then those that only the ledger knows.
    func adoptAll() {
        for folder in host.folders { adopt(folder, folder.remains) }
        for vm in world.vms where host.folder(of: vm) == nil {
            guard ledger.ownership(of: vm.id) != nil else { continue }
            adopt(SimHost.Folder(vm: vm, vmm: nil), .nothing)
        }
    }

    private func adopt(_ folder: SimHost.Folder, _ remains: DiscoveredState) {
        guard !process.isDead else { return }
        let ownership = ledger.ownership(of: folder.vm.id)
        let adoption = AdoptionDecision(vm: folder.vm.id, ownership: ownership, discovered: remains)
        if let record = adoption.record {
            do { try ledger.appendRecord(record) } catch { world.scheduler.say("ledger: \(error)") }
        }
        guard !process.isDead else { return }
        world.scheduler.say("\(folder.vm.spec.name) found again: \(remains), \(adoption.step)")
        if adoption.step == .endAndForget {
            folder.vmm?.end()
            return host.remove(folder)
        }
        let connection = folder.vmm.flatMap {
            $0.isAlive ? VMMConnection($0, world, runtime) : nil
        }
        let guest = Guest(
            folder: folder, epoch: ownership?.epoch ?? .first, connection: connection)
        add(guest)
        keep(guest, adoption.step)
    }

    private func keep(_ guest: Guest, _ step: AdoptionDecision.Step) {
        switch step {
        case .keepAndResume: resume(guest)
        case .hold: hold(guest)
        case .holdAndResolve(let destination):
            hold(guest)
            if world.plant == .resumesReleased { resume(guest) }
            settle(guest, with: destination)
        case .keep, .keepAsLost, .endAndForget: break
        }
        if case .takenOver(_, let host, _)? = ledger.ownership(of: guest.vm.id) {
            settle(guest, with: host)
        }
    }

    /// From now on only a request lets it run.
    func hold(_ guest: Guest) {
        guard let connection = guest.connection, !connection.vmm.isSealed else { return }
        do {
            try connection.ask("hold") {
                connection.vmm.pause(for: connection.id)
                return connection.vmm.seal(by: connection.id)
            }
        } catch { world.scheduler.say("cannot be held: \(error)") }
    }
}

extension SimHost.Folder {
    var remains: DiscoveredState {
        guard let vmm, vmm.isAlive else { return .folder }
        return switch vmm.lifecycle.state {
        case .incoming: .incoming
        case .running: .running
        case .paused: .paused(isSealed: vmm.isSealed)
        case .stopped, .failed: .folder
        }
    }
}
