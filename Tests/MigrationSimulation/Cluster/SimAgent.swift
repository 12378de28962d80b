// A simulated agent: the drivers, with the rules of the real agent around them.
//
// What Sources/Cluster/Agent does in actors is done here on simulated threads, in the same order: which offers are taken, what
// becomes of a guest when its migration has ended, and when a host that fell silent is asked again.

import Host
import Migration
import MigrationProtocol
import Model
import Ownership
import VMControl

/// `@unchecked`: whoever holds the baton may touch it.
final class SimAgent: MigrationHost, @unchecked Sendable {
    /// A VM as the agent knows it. `@unchecked`: whoever holds the baton may touch it.
    final class Guest: @unchecked Sendable {
        let folder: SimHost.Folder
        var epoch: Epoch
        /// The agent's own control connection; nil when the process is gone.
        var connection: VMMConnection?
        var isBusy = false
        var isArriving = false
        var isUnsettled = false

        init(folder: SimHost.Folder, epoch: Epoch, connection: VMMConnection?) {
            self.folder = folder
            self.epoch = epoch
            self.connection = connection
        }

        var vm: SimVM { folder.vm }
        var vmm: SimVMM? { folder.vmm }
    }

    let world: World
    let host: SimHost
    let process: SimProcess
    let runtime: SimRuntime
    let simLedger: SimLedger
    private var guests: [Guest] = []
    private(set) var server: PeerServer?
    private var isStopping = false
    /// Guests whose process is being started.
    private var preparing: Set<VMID> = []

    init(_ world: World, _ host: SimHost, _ process: SimProcess, _ runtime: SimRuntime) {
        self.world = world
        self.host = host
        self.process = process
        self.runtime = runtime
        simLedger = SimLedger(host.disk, runtime: runtime, world: world)
    }

    var ledger: any OwnershipLedger { simLedger }

    /// Nothing is under way and nothing is undecided.
    var isIdle: Bool {
        server != nil && !isStopping && preparing.isEmpty
            && guests.allSatisfy { !$0.isBusy && !$0.isArriving && !$0.isUnsettled }
    }

    func guest(_ vm: SimVM) -> Guest? { guests.first { $0.vm === vm } }

    // MARK: Life

    func main() {
        let listener = world.network.listen(process, on: host.index)
        adoptAll()
        guard !process.isDead else { return }
        do {
            server = try PeerServer(
                listener: listener, host: self, timing: world.plan.timing, runtime: runtime)
        } catch { world.scheduler.say("no server: \(error)") }
    }

    /// In good order, as far as a thread of this process can.
    func stop() {
        isStopping = true
        server?.stop()
        // It holds this agent as this agent holds it.
        server = nil
    }

    /// As the real one at SIGTERM; false when there is nothing to stop. For a thread of its own.
    func shutDown() -> Bool {
        guard !isStopping, server != nil else { return false }
        isStopping = true
        let running = world.attempts.filter { $0.from === host && !$0.isOver }
        for attempt in running { attempt.cancel(at: world.scheduler.now) }
        while running.contains(where: { !$0.isOver }), !process.isDead {
            // A killed process: the loop's condition sees it.
            try? runtime.sleep(.milliseconds(20), "the end of migrations")
        }
        stop()
        return !process.isDead
    }

    // MARK: Incoming

    func prepareGuest(
        for offer: MigrationOffer, from source: HostName
    ) throws(MigrationRefusal) -> any DestinationGuest {
        world.moment("prepare")
        if isStopping { throw MigrationRefusal(.notAccepting, text: "shutting down") }
        if let ownership = ledger.ownership(of: offer.vm), ownership.mayRun {
            throw MigrationRefusal(.vmExists, text: "owned here at epoch \(ownership.epoch)")
        }
        guard let vm = world.vms.first(where: { $0.id == offer.vm }), guest(vm) == nil,
            preparing.insert(offer.vm).inserted
        else { throw MigrationRefusal(.nameExists, text: "this very VM is here") }
        defer { preparing.remove(offer.vm) }
        do { try runtime.sleep(world.plan.prepare, "start of a ferry-vmm") } catch {
            throw MigrationRefusal(.hostFailure, text: "\(error)")
        }
        let vmm = world.newVMM(vm, on: host, state: .incoming)
        let connection = VMMConnection(vmm, world, runtime)
        vmm.bindBirth(to: connection.id)
        let folder = SimHost.Folder(vm: vm, vmm: vmm)
        host.add(folder)
        let guest = Guest(folder: folder, epoch: offer.nextEpoch, connection: connection)
        guest.isArriving = true
        guests.append(guest)
        world.scheduler.say("migration in of VM \(vm.spec.name) from \(source)")
        return SimIncoming(connection, plant: world.plant)
    }

    func didFinishMigration(
        for offer: MigrationOffer, from source: HostName, outcome: IncomingOutcome
    ) {
        guard !process.isDead,
            let guest = guests.first(where: { $0.vm.id == offer.vm && $0.isArriving })
        else { return }
        world.scheduler.say("migration in ended: \(outcome)")
        switch outcome {
        case .running(let epoch):
            world.tally.count("arrived")
            guest.epoch = epoch
            guest.isArriving = false
        case .ownedButStopped(let epoch, _):
            world.tally.count("arrived, would not resume")
            guest.epoch = epoch
            guest.isArriving = false
        case .discarded: forget(guest)
        }
    }

    func didSuspendMigration(for offer: MigrationOffer, from source: HostName, limit: Duration) {
        world.tally.count("parked")
        world.scheduler.say("migration in is kept for \(limit)")
    }

    func didResumeMigration(for offer: MigrationOffer, from source: HostName) {
        world.tally.count("went on after a loss")
        world.scheduler.say("migration in goes on")
    }

    func supersedeOwnership(with record: LedgerRecord) throws(MigrationRefusal) {
        if let guest = guests.first(where: { $0.vm.id == record.vm }) {
            guard !guest.isBusy, !guest.isArriving else {
                throw MigrationRefusal(.busy, text: "the VM is being migrated")
            }
            hold(guest)
        }
        do { try ledger.appendRecord(record) } catch {
            throw MigrationRefusal(.ledgerFailure, text: "\(error)")
        }
    }

    /// An operator lets this host have a VM again whose destination does not answer.
    func takeOver(_ vm: SimVM) {
        guard let guest = guest(vm), guest.isUnsettled,
            let record = ledger.ownership(of: vm.id)?.takeoverRecord(for: vm.id)
        else { return }
        world.scheduler.start(process, "takeover-\(vm.spec.name)") { [self] in
            do { try ledger.appendRecord(record) } catch {
                return world.scheduler.say("no takeover: \(error)")
            }
            guest.epoch = Ownership(record).epoch
            world.tally.count("taken over")
            resume(guest)
        }
    }

    /// Ends its process and removes its folder.
    func forget(_ guest: Guest) {
        guest.vmm?.end()
        guest.connection?.close()
        host.remove(guest.folder)
        guests.removeAll { $0 === guest }
    }

    func add(_ guest: Guest) { guests.append(guest) }

    // MARK: Outgoing

    /// Begins a migration; nil when this agent would refuse to.
    func migrate(_ vm: SimVM, to destination: SimHost, _ move: MovePlan) -> Attempt? {
        guard let guest = guest(vm), !guest.isBusy, !guest.isArriving, !guest.isUnsettled,
            !isStopping, server != nil, let vmm = guest.vmm, vmm.isRunning,
            host.disk.book.ownerships[vm.id]?.mayRun == true
        else { return nil }
        guest.isBusy = true
        let connection = VMMConnection(vmm, world, runtime)
        let migration = SourceMigration(
            id: world.newMigrationID(), vm: vm.id, epoch: guest.epoch,
            guest: SimOutgoing(connection, plant: world.plant),
            to: world.address(of: destination), ledger: ledger,
            options: MigrationOptions(
                streams: move.streams, compression: move.compression, timing: world.plan.timing,
                isRehearsal: move.isRehearsal),
            runtime: runtime)
        let attempt = Attempt(migration, vm: vm, from: host, to: destination)
        process.whenItDies { attempt.isOver = true }
        world.scheduler.start(process, "mig-\(vm.spec.name)") { [self] in
            let result: Result<MigrationReport, MigrationFailure>
            do throws(MigrationFailure) { result = .success(try migration.runToCompletion()) } catch
            {
                result = .failure(error)
            }
            guard !process.isDead else { return }
            world.check(attempt, result, vmm)
            connection.close()
            migrationEnded(guest, result)
            attempt.isOver = true
        }
        return attempt
    }

    private func migrationEnded(
        _ guest: Guest, _ result: Result<MigrationReport, MigrationFailure>
    ) {
        guest.isBusy = false
        switch result {
        case .success(let report) where report.rehearsal != nil: break
        case .success:
            // A ledger that could not take "handed over" must ask again.
            guard case .released(_, let host, _) = ledger.ownership(of: guest.vm.id) else {
                return forget(guest)
            }
            settle(guest, with: host)
        case .failure(let failure):
            switch failure.aftermath {
            case .runsAtSource(let epoch), .stoppedAtSource(let epoch, _): guest.epoch = epoch
            case .unresolved(let epoch, let host):
                guest.epoch = epoch
                settle(guest, with: host)
            }
        }
    }

    /// Asks again and again.
    func settle(_ guest: Guest, with destination: HostName) {
        guest.isUnsettled = true
        world.tally.count("unsettled")
        let address = PeerAddress(
            name: destination, address: SocketAddress(ip: "10.0.0.1", port: 1))
        world.scheduler.start(process, "settle-\(guest.vm.spec.name)") { [self] in
            var pause = Duration.seconds(1)
            while !process.isDead {
                if settleOnce(guest, address) { return }
                // A killed process: the loop's condition sees it.
                try? runtime.sleep(pause, "pause between questions")
                pause = min(pause * 2, .seconds(30))
            }
        }
    }

    private func settleOnce(_ guest: Guest, _ address: PeerAddress) -> Bool {
        let outcome: HandoverResolutionOutcome
        do throws(HandoverResolutionError) {
            outcome = try HandoverResolution.resolveHandover(
                of: guest.vm.id, with: address, ledger: ledger, timing: world.plan.timing,
                runtime: runtime)
        } catch {
            guard world.plant == .silenceIsRefusal, case .noAnswer = error,
                case .released(let epoch, _, _) = ledger.ownership(of: guest.vm.id),
                (try? ledger.appendRecord(
                    .owned(vm: guest.vm.id, epoch: epoch.next, migration: nil))) != nil
            else { return false }
            outcome = .takenBack(epoch.next)
        }
        guard !process.isDead else { return true }
        world.scheduler.say("settled: \(outcome)")
        apply(outcome, to: guest)
        return true
    }

    func resume(_ guest: Guest) {
        guard let connection = guest.connection else { return }
        do { try connection.ask("resume") { connection.vmm.resume() } } catch {
            world.scheduler.say("would not resume: \(error)")
        }
    }

    private func apply(_ outcome: HandoverResolutionOutcome, to guest: Guest) {
        switch outcome {
        case .handedOver:
            world.tally.count("settled: handed over")
            forget(guest)
        case .takeoverConfirmed:
            world.tally.count("settled: takeover known")
            guest.isUnsettled = false
        case .takenBack(let epoch):
            world.tally.count("settled: taken back")
            guest.epoch = epoch
            // One whose process is gone stays stopped, and this host's.
            resume(guest)
            guest.isUnsettled = false
        }
    }
}
