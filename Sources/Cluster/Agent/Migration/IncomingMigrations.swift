// This host as the destination of migrations: it checks offers, starts processes, and adopts or discards what arrived.
//
// The peer server calls this on its threads, which may block; they wait for the actors of the inventory and the VMs.

import API
import Host
import Logging
package import Migration
package import MigrationProtocol
package import Model
package import Ownership
import Synchronization
import VMControl

package final class IncomingMigrations: MigrationHost {
    private struct State {
        var isAccepting = true
        var arriving: [VMID: VirtualMachine] = [:]
        /// The server holds this object in turn, until the server has stopped.
        var server: PeerServer?
    }

    private let inventory: VMInventory
    private let facts: HostFacts
    private let state = Mutex(State())

    package init(inventory: VMInventory, facts: HostFacts) {
        self.inventory = inventory
        self.facts = facts
    }

    package var ledger: any OwnershipLedger { inventory.context.ledger }
    var timing: PeerTiming { inventory.context.timing }
    private var context: HostContext { inventory.context }

    func beginServing(at server: PeerServer) { state.withLock { $0.server = server } }
    func endServing() { state.withLock { $0.server = nil } }

    /// Refuses every offer from now on.
    package func stopAccepting() { state.withLock { $0.isAccepting = false } }

    package func prepareGuest(
        for offer: MigrationOffer, from source: HostName
    ) throws(MigrationRefusal) -> any DestinationGuest {
        try checkAcceptance(of: offer)
        let vm = VirtualMachine(
            record: VMRecord(id: offer.vm, spec: offer.spec), epoch: offer.nextEpoch,
            status: VMMStatus(state: .incoming), context: context)
        let result: Result<VMProcess, Problem> = waitForTask { [inventory] in
            do throws(Problem) {
                try await inventory.reserveResources(for: offer.spec, id: offer.vm)
                do throws(Problem) {
                    return .success(try await vm.beginArrival(from: source))
                } catch {
                    await inventory.releaseReservation(of: offer.spec.name)
                    throw error
                }
            } catch { return .failure(error) }
        }
        switch result {
        case .failure(let problem): throw MigrationRefusal(problem)
        case .success(let process):
            state.withLock { $0.arriving[offer.vm] = vm }
            waitForTask { [inventory] in await inventory.registerVM(vm) }
            logEvent(text: "migration in", of: offer, from: source)
            return IncomingGuest(process)
        }
    }

    private func checkAcceptance(of offer: MigrationOffer) throws(MigrationRefusal) {
        let (isAccepting, arriving) = state.withLock { ($0.isAccepting, $0.arriving.count) }
        guard isAccepting else {
            throw MigrationRefusal(.notAccepting, text: "host \(context.name) is shutting down")
        }
        guard arriving < Limits.incomingMigrationsMax else {
            throw MigrationRefusal(
                .busy,
                text: "host \(context.name) receives \(arriving) migrations already, its limit")
        }
        if let problem = offer.spec.problem { throw MigrationRefusal(.badSpec, text: problem) }
        let missing = offer.cpuFeatures.missingFeatures(on: facts.cpuFeatures)
        guard missing.isEmpty else {
            throw MigrationRefusal(
                .cpuFeaturesMissing,
                text:
                    "the CPU of host \(context.name) lacks what VM \(offer.spec.name) was started with",
                details: missing)
        }
        if offer.spec.isLeased, context.lease.until == nil {
            throw MigrationRefusal(
                .notAccepting,
                text:
                    "VM \(offer.spec.name) is leased, and host \(context.name) has no lease from a controller now"
            )
        }
        if let ownership = ledger.ownership(of: offer.vm), ownership.mayRun {
            throw MigrationRefusal(
                .vmExists,
                text: "host \(context.name) owns this VM already, at epoch \(ownership.epoch)")
        }
    }

    package func didFinishMigration(
        for offer: MigrationOffer, from source: HostName, outcome: IncomingOutcome
    ) {
        guard let vm = state.withLock({ $0.arriving.removeValue(forKey: offer.vm) }) else { return }
        waitForTask { [inventory] in
            switch outcome {
            case .running(let epoch): await vm.completeArrival(at: epoch)
            case .ownedButStopped(let epoch, let refusal):
                await vm.completeArrival(at: epoch, refusal: refusal)
            case .discarded:
                await vm.removeArrival()
                await inventory.unregisterVM(vm)
            }
        }
        logEvent(text: "migration in ended", of: offer, from: source, facts: outcome.facts)
    }

    package func supersedeOwnership(with record: LedgerRecord) throws(MigrationRefusal) {
        let result: Result<Void, MigrationRefusal> = waitForTask { [inventory] in
            do throws(MigrationRefusal) {
                if let vm = await inventory.virtualMachine(withID: record.vm) {
                    try await vm.supersede(by: record)
                } else {
                    // No copy exists here that could run.
                    do { try inventory.context.ledger.appendRecord(record) } catch {
                        throw MigrationRefusal(.ledgerFailure, text: "\(error)")
                    }
                }
                return .success(())
            } catch { return .failure(error) }
        }
        try result.get()
    }

    package func didSuspendMigration(
        for offer: MigrationOffer, from source: HostName, limit: Duration
    ) {
        let (vm, server) = state.withLock { ($0.arriving[offer.vm], $0.server) }
        let discard: @Sendable () -> Bool = { server?.endSuspendedSession(of: offer.vm) ?? false }
        waitForTask { await vm?.retainArrival(from: source, for: limit, discard: discard) }
        logEvent(
            text: "migration in lost its connection", of: offer, from: source,
            facts: ["keptMs": "\(limit.milliseconds)"])
    }

    package func didResumeMigration(for offer: MigrationOffer, from source: HostName) {
        let vm = state.withLock { $0.arriving[offer.vm] }
        waitForTask { await vm?.continueArrival(at: offer.nextEpoch) }
        logEvent(text: "migration in continues", of: offer, from: source)
    }

    private func logEvent(
        text event: Logger.Message, of offer: MigrationOffer, from source: HostName,
        facts: Logger.Metadata = [:]
    ) {
        let subject: Logger.Metadata = [
            "vm": "\(offer.spec.name)", "migration": "\(offer.migration)", "from": "\(source)",
        ]
        context.logger.info(event, metadata: subject.merging(facts) { $1 })
    }
}

extension IncomingOutcome {
    fileprivate var facts: Logger.Metadata {
        switch self {
        case .running(let epoch): ["outcome": "running", "epoch": "\(epoch)"]
        case .ownedButStopped(let epoch, let refusal):
            [
                "outcome": "stopped", "epoch": "\(epoch)", "failure": "\(refusal)",
                "code": "\(FailureCode(refusal.code).rawValue)",
            ]
        case .discarded(let refusal):
            [
                "outcome": "discarded", "failure": "\(refusal)",
                "code": "\(FailureCode(refusal.code).rawValue)",
            ]
        }
    }
}

extension MigrationRefusal {
    init(_ problem: Problem) {
        let code: Code =
            switch problem.knownCode {
            case .nameTaken: .nameExists
            case .notEnoughMemory: .notEnoughMemory
            case .invalid: .badSpec
            case .vmmFailed: .guestFailure
            case .vmBusy: .busy
            case .noLease: .notAccepting
            default: .hostFailure
            }
        self.init(code, text: problem.detail)
    }
}
