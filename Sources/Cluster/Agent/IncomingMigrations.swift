// This host as the destination of migrations: what it checks, makes, adopts and throws away.
//
// Called from the peer server's threads, which may block; the inventory's actor is asked from there.

import API
import FoundationEssentials
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
        /// Where they arrive; it holds this in turn, until it has stopped.
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

    func begin(at server: PeerServer) { state.withLock { $0.server = server } }
    func end() { state.withLock { $0.server = nil } }

    /// From now on every offer is refused.
    package func stopAccepting() { state.withLock { $0.isAccepting = false } }

    package func prepare(
        _ offer: MigrationOffer, from source: HostName
    ) throws(MigrationRefusal) -> any DestinationGuest {
        try check(offer)
        let vm = VirtualMachine(
            VMRecord(id: offer.vm, spec: offer.spec), epoch: offer.nextEpoch,
            status: VMMStatus(state: .incoming), context: context)
        let result: Result<VMProcess, Problem> = waiting { [inventory] in
            do throws(Problem) {
                try await inventory.reserve(offer.spec, id: offer.vm)
                do throws(Problem) {
                    return .success(try await vm.makeIncoming(from: source))
                } catch {
                    await inventory.release(offer.spec.name)
                    throw error
                }
            } catch { return .failure(error) }
        }
        switch result {
        case .failure(let problem): throw MigrationRefusal(problem)
        case .success(let process):
            state.withLock { $0.arriving[offer.vm] = vm }
            waiting { [inventory] in await inventory.add(vm) }
            log("migration in", offer, source, [:])
            return IncomingGuest(process)
        }
    }

    private func check(_ offer: MigrationOffer) throws(MigrationRefusal) {
        let (isAccepting, arriving) = state.withLock { ($0.isAccepting, $0.arriving.count) }
        guard isAccepting else {
            throw MigrationRefusal(.notAccepting, "host \(context.name) is shutting down")
        }
        guard arriving < Limits.incomingMigrationsMax else {
            throw MigrationRefusal(
                .busy, "host \(context.name) takes \(arriving) migrations already, its limit")
        }
        if let problem = offer.spec.problem { throw MigrationRefusal(.badSpec, problem) }
        let missing = offer.cpuFeatures.missing(on: facts.cpuFeatures)
        guard missing.isEmpty else {
            throw MigrationRefusal(
                .cpuFeaturesMissing,
                "the CPU of host \(context.name) lacks what VM \(offer.spec.name) was started with",
                details: missing)
        }
        if offer.spec.isLeased, context.lease.until == nil {
            throw MigrationRefusal(
                .notAccepting,
                "VM \(offer.spec.name) is leased, and host \(context.name) has no lease of a controller now"
            )
        }
        if let ownership = ledger.ownership(of: offer.vm), ownership.mayRun {
            throw MigrationRefusal(
                .vmExists, "host \(context.name) owns this VM already, at epoch \(ownership.epoch)")
        }
    }

    package func finished(
        _ offer: MigrationOffer, from source: HostName, outcome: IncomingOutcome
    ) {
        guard let vm = state.withLock({ $0.arriving.removeValue(forKey: offer.vm) }) else { return }
        waiting { [inventory] in
            switch outcome {
            case .running(let epoch): await vm.hasArrived(epoch, warning: nil)
            case .ownedButStopped(let epoch, let refusal):
                await vm.hasArrived(epoch, warning: "it arrived, but would not resume: \(refusal)")
            case .discarded:
                await vm.removeArrival()
                await inventory.remove(vm)
            }
        }
        log("migration in ended", offer, source, outcome.facts)
    }

    package func supersede(_ record: LedgerRecord) throws(MigrationRefusal) {
        let result: Result<Void, MigrationRefusal> = waiting { [inventory] in
            do throws(MigrationRefusal) {
                if let vm = await inventory.vm(withID: record.vm) {
                    try await vm.supersede(record)
                } else {
                    // Nothing is here that could run.
                    do { try inventory.context.ledger.append(record) } catch {
                        throw MigrationRefusal(.ledgerFailure, "\(error)")
                    }
                }
                return .success(())
            } catch { return .failure(error) }
        }
        try result.get()
    }

    package func parked(_ offer: MigrationOffer, from source: HostName, for limit: Duration) {
        let (vm, server) = state.withLock { ($0.arriving[offer.vm], $0.server) }
        let discard: @Sendable () -> Bool = { server?.endParked(offer.vm) ?? false }
        waiting { await vm?.hasLostSource(source, keptFor: limit, discard) }
        log("migration in lost its connection", offer, source, ["keptMs": "\(limit.milliseconds)"])
    }

    package func unparked(_ offer: MigrationOffer, from source: HostName) {
        let vm = state.withLock { $0.arriving[offer.vm] }
        waiting { await vm?.hasFoundSource(offer.nextEpoch) }
        log("migration in goes on", offer, source, [:])
    }

    private func log(
        _ what: Logger.Message, _ offer: MigrationOffer, _ source: HostName,
        _ more: Logger.Metadata
    ) {
        let facts: Logger.Metadata = [
            "vm": "\(offer.spec.name)", "migration": "\(offer.migration)", "from": "\(source)",
        ]
        context.logger.info(what, metadata: facts.merging(more) { $1 })
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
        self.init(code, problem.detail)
    }
}

extension VirtualMachine {
    /// Starts the process that the VM arrives in. Throws with nothing left.
    func makeIncoming(from source: HostName) async throws(Problem) -> VMProcess {
        try begin("arriving from \(source)")
        // What stands where its folder would be is not this VM's to discard.
        try await makeFolder()
        do throws(Problem) {
            try await launch(.incoming(record.spec.kernel), paused: true)
            try await beginLease()
            return try live()
        } catch {
            await discard(forgetting: epoch)
            throw error
        }
    }

    /// What arrived is kept until the source comes back, the time is over, or somebody deletes it.
    func hasLostSource(
        _ source: HostName, keptFor limit: Duration, _ discard: @escaping @Sendable () -> Bool
    ) {
        discardKept = discard
        let end = Date(timeIntervalSinceNow: limit.seconds).formatted(.iso8601)
        warning =
            "the connection to host \(source) was lost; what arrived is kept until \(end), so that the migration can go on"
    }

    func hasFoundSource(_ epoch: Epoch) {
        self.epoch = epoch
        discardKept = nil
        warning = nil
    }

    /// Deletes a VM that waits for its source; false when this is none.
    func deleteKept() async -> Bool {
        guard let discardKept else { return false }
        return await onThread("discard-\(name)", discardKept)
    }

    /// The VM is this host's from now on.
    func hasArrived(_ epoch: Epoch, warning: String?) async {
        self.epoch = epoch
        self.warning = warning
        activity = nil
        await refresh()
    }

    /// The migration did not happen: the process is gone or goes now, and so does the folder.
    func removeArrival() async { await discard(forgetting: epoch) }
}
