// What a simulated agent does with the VMs that it finds at its start: the table of VMInventory+Adopt.

import Host
import Machine
import Migration
import MigrationProtocol
import Model

extension SimAgent {
    func adoptAll() {
        for folder in host.folders {
            guard !process.isDead else { return }
            adopt(folder)
        }
        disownArrivals()
    }

    private func adopt(_ folder: SimHost.Folder) {
        let ownership = ledger.ownership(of: folder.vm.id)
        switch ownership {
        case .owned(let epoch, _):
            let guest = take(folder, epoch)
            if folder.vmm.isSealed { resume(guest) }
        case .released(let epoch, let destination, _):
            let guest = take(folder, epoch)
            if world.plant == .resumesReleased { resume(guest) }
            settle(guest, with: destination)
        default:
            world.scheduler.say(
                "VM \(folder.vm.spec.name) not kept: \(String(describing: ownership))")
            folder.vmm.end()
            host.remove(folder)
        }
    }

    private func take(_ folder: SimHost.Folder, _ epoch: Epoch) -> Guest {
        let connection = folder.vmm.isAlive ? VMMConnection(folder.vmm, world, runtime) : nil
        let guest = Guest(folder: folder, epoch: epoch, connection: connection)
        add(guest)
        world.scheduler.say(
            "VM \(folder.vm.spec.name) found again: \(folder.vmm.lifecycle.state), epoch \(epoch)")
        return guest
    }

    private func resume(_ guest: Guest) {
        let vmm = guest.folder.vmm
        do { try guest.connection?.ask("resume adopted") { vmm.resume() } } catch {
            world.scheduler.say("would not resume: \(error)")
        }
    }

    /// What was arriving when the agent ended will not run here.
    private func disownArrivals() {
        for (vm, ownership) in ledger.ownerships.sorted(by: { $0.key.low < $1.key.low }) {
            guard case .incoming(let epoch, _, let migration) = ownership else { continue }
            do { try ledger.append(.neverRan(vm: vm, epoch: epoch, migration: migration)) } catch {
                world.scheduler.say("ledger: \(error)")
            }
        }
    }
}
