// Migrations away from this host: started, watched, cancelled, remembered for a while.

package import API
import ClusterFile
import Host
import Logging
import Migration
import MigrationProtocol
package import Model
package import PeerLink
import VMControl

package actor Migrations {
    private struct Entry {
        /// Nil once it has ended: it holds the guest's memory and a connection to its process.
        var source: SourceMigration?
        var info: MigrationInfo
    }

    private let inventory: VMInventory
    private let keys: PeerKeys
    private let settlements: Settlements
    private var entries: [MigrationID: Entry] = [:]
    /// Oldest first.
    private var order: [MigrationID] = []
    private var isAccepting = true
    /// Wakes those who wait for the end of all.
    private var waiters: [CheckedContinuation<Void, Never>] = []

    package init(inventory: VMInventory, keys: PeerKeys, settlements: Settlements) {
        self.inventory = inventory
        self.keys = keys
        self.settlements = settlements
    }

    private var context: HostContext { inventory.context }
    private var running: [Entry] { entries.values.filter { !$0.info.isOver } }

    package func start(_ request: StartMigration) async throws(Problem) -> MigrationInfo {
        guard isAccepting else { throw Problem(.shuttingDown, "the agent is shutting down") }
        guard running.count < Limits.outgoingMigrationsMax else {
            throw Problem(
                .vmBusy, "host \(context.name) runs \(running.count) migrations already, its limit")
        }
        let destination = try destination(request.to)
        let vm = try await inventory.vm(named: request.vm)
        let streams = try request.checkedStreams(usual: MigrationOptions().streams)
        let id = MigrationID.random()
        let (guest, epoch) = try await vm.beginMigration(to: request.to)
        do throws(Problem) {
            let limit = try request.downtimeLimit(usual: guest.spec.downtimeLimit)
            let migration = SourceMigration(
                id: id, vm: vm.id, epoch: epoch, guest: guest, to: destination, keys: keys,
                ledger: context.ledger,
                options: MigrationOptions(
                    streams: streams, compression: request.compression ?? .auto,
                    downtimeLimit: limit))
            let info = MigrationInfo(
                id: id, vm: vm.name, vmID: vm.id, source: context.name, destination: request.to,
                state: .running)
            entries[id] = Entry(source: migration, info: info)
            order.append(id)
            run(migration, of: vm)
            return current(id) ?? info
        } catch {
            await vm.abandonMigration()
            throw error
        }
    }

    private func destination(_ name: HostName) throws(Problem) -> PeerAddress {
        guard name != context.name else {
            throw Problem(.invalid, "the VM is on host \(name) already")
        }
        guard let member = context.cluster.host(name) else {
            let names = context.cluster.hosts.map(\.name.text).joined(separator: ", ")
            throw Problem(
                .hostUnknown,
                "cluster \(context.cluster.cluster) has no host \(name); it has \(names)")
        }
        return PeerAddress(name: name, address: member.peer)
    }

    private func run(_ migration: SourceMigration, of vm: VirtualMachine) {
        context.logger.info(
            "migration out", metadata: ["vm": "\(vm.name)", "migration": "\(migration.id)"])
        let id = migration.id
        startThread("mig-\(vm.name)") {
            let result: Result<MigrationReport, MigrationFailure>
            do throws(MigrationFailure) { result = .success(try migration.run()) } catch {
                result = .failure(error)
            }
            let progress = ProgressInfo(migration.progress)
            Task { await self.ended(id, vm, result, progress) }
        }
    }

    private func ended(
        _ id: MigrationID, _ vm: VirtualMachine,
        _ result: Result<MigrationReport, MigrationFailure>, _ progress: ProgressInfo
    ) async {
        entries[id]?.source = nil
        entries[id]?.info.progress = progress
        // First the VM, then the news: who reads that it is over finds the VM as it says.
        switch result {
        case .success:
            await vm.handedOver()
            await inventory.remove(vm)
        case .failure(let failure):
            await vm.migrationFailed(failure)
            if case .unsettled(_, let host) = failure.aftermath { settlements.add(vm, with: host) }
        }
        entries[id]?.info.finish(with: result)
        log(id, result)
        forgetOldest()
        if running.isEmpty {
            for waiter in waiters { waiter.resume() }
            waiters = []
        }
    }

    private func log(_ id: MigrationID, _ result: Result<MigrationReport, MigrationFailure>) {
        switch result {
        case .success(let report):
            context.logger.info(
                "migration out ended",
                metadata: [
                    "migration": "\(id)", "totalMs": "\(report.total.milliseconds)",
                    "downtimeMs": "\(report.downtime.milliseconds)",
                    "wireBytes": "\(report.wireBytes)",
                ])
        case .failure(let failure):
            context.logger.warning(
                "migration out failed",
                metadata: ["migration": "\(id)", "failure": "\(failure)"])
        }
    }

    private func forgetOldest() {
        while order.count > Limits.finishedMigrationsMax,
            let index = order.firstIndex(where: { entries[$0]?.info.isOver ?? true })
        {
            entries[order.remove(at: index)] = nil
        }
    }

    private func current(_ id: MigrationID) -> MigrationInfo? {
        guard let entry = entries[id] else { return nil }
        var info = entry.info
        if let source = entry.source { info.progress = ProgressInfo(source.progress) }
        return info
    }

    package func info(_ id: MigrationID) throws(Problem) -> MigrationInfo {
        guard let info = current(id) else {
            throw Problem(
                .migrationNotFound,
                "host \(context.name) knows no migration \(id); ask the host it started from")
        }
        return info
    }

    /// Newest first.
    package func list() -> MigrationList {
        MigrationList(migrations: order.reversed().compactMap { current($0) })
    }

    package func cancel(_ id: MigrationID) throws(Problem) -> MigrationInfo {
        let info = try info(id)
        do throws(CancelRefusal) {
            guard let source = entries[id]?.source else { throw .ended }
            try source.cancel()
        } catch {
            throw Problem(.tooLateToCancel, "\(error)")
        }
        return info
    }

    /// Starts none any more, cancels those that still can be, and returns when all have ended.
    package func finishAll() async {
        isAccepting = false
        for entry in running {
            // One that is past its handover is waited for instead.
            try? entry.source?.cancel()
        }
        guard !running.isEmpty else { return }
        await withCheckedContinuation { waiters.append($0) }
    }
}
