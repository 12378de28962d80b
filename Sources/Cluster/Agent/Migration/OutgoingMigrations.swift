// Migrations away from this host: started, watched, cancelled.

package import API
import ClusterFile
import FoundationEssentials
import Host
import Logging
import Migration
import MigrationProtocol
package import Model
package import PeerLink
import VMControl

package actor OutgoingMigrations {
    let inventory: VMInventory
    let history: MigrationHistory
    let resolver: HandoverResolver
    private let keys: PeerKeys
    var table = OutgoingTable()

    package init(
        inventory: VMInventory, history: MigrationHistory, resolver: HandoverResolver,
        keys: PeerKeys
    ) {
        self.inventory = inventory
        self.history = history
        self.resolver = resolver
        self.keys = keys
    }

    var context: HostContext { inventory.context }

    // MARK: Starting

    /// If an earlier request of the same id started the migration, it is returned as it is now.
    package func startMigration(
        with request: StartMigration
    ) async throws(Problem) -> (info: MigrationInfo, isNew: Bool) {
        let id = request.id ?? .random()
        guard table.beginRequest(withID: id) else {
            throw Problem(.vmBusy, detail: "migration \(id) is being started")
        }
        defer { table.endRequest(withID: id) }
        if let info = await history.migrationInfo(withID: id) {
            guard info.vm == request.vm, info.destination == request.to else {
                throw Problem(
                    .invalid,
                    detail: "migration \(id) is that of VM \(info.vm) to host \(info.destination)")
            }
            return (addingProgress(to: info), false)
        }
        return (try await startNewMigration(with: request, as: id), true)
    }

    private func startNewMigration(
        with request: StartMigration, as id: MigrationID
    ) async throws(Problem) -> MigrationInfo {
        try table.beginStart(on: context.name)
        defer { table.endStart() }
        let destination = try await findDestination(of: request)
        let vm = try await inventory.virtualMachine(named: request.vm)
        let streams = try request.checkedStreams(usual: MigrationOptions().streams)
        let (guest, epoch) = try await vm.beginMigration(to: request.to)
        do throws(Problem) {
            let limit = try request.checkedDowntimeLimit(usual: guest.spec.downtimeLimit)
            let options = MigrationOptions(
                streams: streams, compression: request.compression ?? .auto, downtimeLimit: limit,
                timing: context.timing, isRehearsal: request.rehearse ?? false,
                verifiesMemory: request.audit ?? true)
            let info = try await recordStart(of: vm, to: request.to, as: id)
            let migration = SourceMigration(
                id: info.id, vm: vm.id, epoch: epoch, guest: guest, to: destination, keys: keys,
                ledger: context.ledger, options: options)
            table.insertMigration(migration)
            runMigration(migration, of: vm)
            return info
        } catch {
            await vm.abandonMigration()
            throw error
        }
    }

    private func recordStart(
        of vm: VirtualMachine, to destination: HostName, as id: MigrationID
    ) async throws(Problem) -> MigrationInfo {
        let info = MigrationInfo(
            id: id, vm: vm.name, vmID: vm.id, source: context.name, destination: destination,
            startedAtMs: Int64(Date.now.timeIntervalSince1970 * 1000), state: .running)
        await history.addMigration(info)
        // The agent may have begun to shut down meanwhile.
        do throws(Problem) { try table.requireAccepting() } catch {
            await history.updateMigration(withID: info.id) { $0.cancelAtShutdown() }
            throw error
        }
        return info
    }

    private func findDestination(
        of request: StartMigration
    ) async throws(Problem) -> PeerAddress {
        let name = request.to
        guard name != context.name else {
            throw Problem(.invalid, detail: "the VM is on host \(name) already")
        }
        if let text = request.peerAddress {
            guard let address = SocketAddress(text) else {
                throw Problem(
                    .invalid, detail: "peerAddress is '\(text.prefix(80))': use IP:PORT")
            }
            let peers = context.peers
            do throws(SystemError) {
                try await runOnThread(named: "peers") { () throws(SystemError) in
                    try peers.recordPeer(named: name, at: address)
                }
            } catch { throw Problem(.internalError, detail: "\(error)") }
            return PeerAddress(name: name, address: address)
        }
        guard let address = context.peers.addresses(of: name).first else {
            let names = context.cluster.hosts.map(\.name.text).joined(separator: ", ")
            throw Problem(
                .hostUnknown,
                detail: "cluster \(context.cluster.cluster) has no host \(name); it has \(names)")
        }
        return PeerAddress(name: name, address: address)
    }

    // MARK: Watching and cancelling

    /// Adds the current progress of a migration that runs.
    private func addingProgress(to info: MigrationInfo) -> MigrationInfo {
        var info = info
        if let source = table.runningMigration(withID: info.id) {
            info.progress = ProgressInfo(source.progress)
        }
        return info
    }

    package func readMigrationInfo(withID id: MigrationID) async throws(Problem) -> MigrationInfo {
        guard let info = await history.migrationInfo(withID: id) else {
            throw Problem(
                .migrationNotFound,
                detail:
                    "host \(context.name) knows no migration \(id); ask the host it started from")
        }
        return addingProgress(to: info)
    }

    /// Newest first.
    package func listMigrations() async -> MigrationList {
        MigrationList(migrations: await history.newestFirst().map { addingProgress(to: $0) })
    }

    /// Running migrations with their progress, and those that ended since `markReported`; and which news these are.
    func makeReport() async -> (migrations: [MigrationInfo], news: MigrationNews) {
        let (running, news) = await history.makeReport()
        return (running.map { addingProgress(to: $0) } + news.infos, news)
    }

    /// A controller has received this news.
    func confirmDelivery(of news: MigrationNews) async { await history.confirmDelivery(of: news) }

    package func cancelMigration(withID id: MigrationID) async throws(Problem) -> MigrationInfo {
        let info = try await readMigrationInfo(withID: id)
        do throws(CancelRefusal) {
            guard let source = table.runningMigration(withID: id) else { throw .ended }
            try source.requestCancellation()
        } catch {
            throw Problem(.tooLateToCancel, detail: "\(error)")
        }
        return info
    }

    /// Starts no more migrations, cancels those that can be cancelled, and returns when all have ended.
    package func finishAll() async {
        table.beginShutdown()
        guard !table.isEmpty else { return }
        await withCheckedContinuation { table.addWaiter($0) }
    }
}
