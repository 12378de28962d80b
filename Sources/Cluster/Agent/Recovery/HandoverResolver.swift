// Handovers of unknown outcome, and forced takeovers that the other host has not acknowledged: this asks or notifies
// the other host until the ledger has the outcome.

import API
import ClusterFile
import Host
import Logging
import Migration
import MigrationProtocol
package import Model
import Ownership
package import PeerLink
import ServiceLifecycle

/// Works on VMs side by side, each in a task of its own, until shutdown.
package struct HandoverResolver: Sendable {
    private let inventory: VMInventory
    private let history: MigrationHistory
    private let keys: PeerKeys
    private let table = ResolutionTable()
    private let vms: AsyncStream<VirtualMachine>
    private let input: AsyncStream<VirtualMachine>.Continuation

    package init(inventory: VMInventory, history: MigrationHistory, keys: PeerKeys) {
        self.inventory = inventory
        self.history = history
        self.keys = keys
        (vms, input) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Limits.vmsMax))
    }

    private var context: HostContext { inventory.context }

    /// Begins with the VM if its ledger record needs another host, unless that has begun already.
    package func resolveHandover(of vm: VirtualMachine) {
        guard context.ledger.ownership(of: vm.id)?.unresolvedPeer != nil,
            table.beginResolution(of: vm.id)
        else { return }
        input.yield(vm)
    }

    /// How the queries about a VM go, for people; nil when there are none.
    package func describeProgress(of vm: VMID) -> String? {
        guard context.ledger.ownership(of: vm)?.unresolvedPeer != nil else { return nil }
        return table.describeProgress(of: vm)
    }

    package func run() async {
        await withDiscardingTaskGroup { group in
            for await vm in vms.cancelOnGracefulShutdown() {
                group.addTask { await cancelWhenGracefulShutdown { await queryPeer(about: vm) } }
            }
        }
    }

    /// Ends when the ledger record needs no other host, or when its task is cancelled. The record may change
    /// meanwhile by a recovery action.
    private func queryPeer(about vm: VirtualMachine) async {
        defer { table.endResolution(of: vm.id) }
        var backoff = Timing.resolution
        var attempts = 0
        while !Task.isCancelled,
            let (host, migration) = context.ledger.ownership(of: vm.id)?.unresolvedPeer
        {
            let addresses = context.peers.addresses(of: host)
            guard !addresses.isEmpty else {
                context.logger.error(
                    "an unresolved handover with a host whose address is not known",
                    metadata: ["vm": "\(vm.name)", "with": "\(host)"])
                return
            }
            let address = addresses[attempts % addresses.count]
            attempts += 1
            let peer = PeerAddress(name: host, address: address)
            if await contactPeer(at: peer, about: vm, migration: migration) { continue }
            // On cancellation, the loop's condition ends the loop.
            try? await Task.sleep(for: backoff.nextPause())
        }
    }

    /// Asks or notifies once. Returns false when the outcome is still unknown.
    private func contactPeer(
        at peer: PeerAddress, about vm: VirtualMachine, migration: MigrationID
    ) async -> Bool {
        let (context, keys) = (context, keys)
        do throws(HandoverResolutionError) {
            let outcome = try await runOnThread(named: "settle-\(vm.name)") {
                () throws(HandoverResolutionError) in
                try HandoverResolution.resolveHandover(
                    of: vm.id, with: peer, keys: keys, ledger: context.ledger,
                    timing: context.timing)
            }
            await applyOutcome(outcome, to: vm, migration: migration, peer: peer.name)
            return true
        } catch {
            let code = FailureCode(error)
            table.recordFailure(
                of: vm.id, message: "host \(peer.name): \(error) [\(code.rawValue)]")
            context.logger.warning(
                "still unresolved",
                metadata: [
                    "vm": "\(vm.name)", "with": "\(peer.name)", "code": "\(code.rawValue)",
                    "error": "\(error)",
                ])
            return false
        }
    }

    private func applyOutcome(
        _ outcome: HandoverResolutionOutcome, to vm: VirtualMachine, migration: MigrationID,
        peer: HostName
    ) async {
        let (aftermath, isRunning): (String, Bool)
        switch outcome {
        case .handedOver(let epoch):
            await vm.completeHandover()
            await inventory.unregisterVM(vm)
            (aftermath, isRunning) = ("host \(peer) took the VM at epoch \(epoch)", false)
        case .takenBack(let epoch):
            isRunning = await vm.reclaimOwnership(at: epoch) == .running
            aftermath =
                isRunning
                ? "the VM runs where it was, at epoch \(epoch)"
                : "the VM is where it was, at epoch \(epoch), and does not run"
        case .takeoverConfirmed(let epoch):
            await vm.acknowledgeTakeover()
            isRunning = await vm.readCurrentInfo().state == .running
            aftermath = "this host took the VM back by a forced takeover, at epoch \(epoch)"
        }
        context.logger.info(
            "handover resolved",
            metadata: [
                "vm": "\(vm.name)", "migration": "\(migration)", "outcome": "\(aftermath)",
            ])
        await history.updateMigration(withID: migration) {
            $0.failure?.resolveOutcome(aftermath: aftermath, vmIsRunning: isRunning)
        }
    }
}

extension HandoverResolver: Service, CustomStringConvertible {
    package var description: String { "handover resolver" }
}

extension Ownership {
    /// The host that must be asked or notified, and about which migration.
    fileprivate var unresolvedPeer: (host: HostName, migration: MigrationID)? {
        switch self {
        case .released(_, let host, let migration), .takenOver(_, let host, let migration):
            (host, migration)
        case .owned, .handedOver, .superseded, .incoming, .neverRan, .deleted: nil
        }
    }
}

extension FailureCode {
    fileprivate init(_ error: HandoverResolutionError) {
        self =
            switch error {
            case .nothingToResolve: .ledgerContradicts
            case .noAnswer(let error): FailureCode(error)
            case .refused(let refusal): FailureCode(refusal.code)
            case .ledger(let error): FailureCode(error)
            }
    }
}
