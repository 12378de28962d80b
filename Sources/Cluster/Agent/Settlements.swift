// VMs that another host has something to say about, or must be told about: released to it, or ruled against it. This
// talks to that host until the ledger has the outcome.

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
import Synchronization

/// Settles VMs side by side, each in a task of its own, until shutdown.
package struct Settlements: Sendable {
    private let inventory: VMInventory
    private let history: MigrationHistory
    private let keys: PeerKeys
    private let board = SettlementBoard()
    private let vms: AsyncStream<VirtualMachine>
    private let input: AsyncStream<VirtualMachine>.Continuation

    package init(inventory: VMInventory, history: MigrationHistory, keys: PeerKeys) {
        self.inventory = inventory
        self.history = history
        self.keys = keys
        (vms, input) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Limits.vmsMax))
    }

    /// Settles the VM if its ledger leaves anything to settle. One that is being settled already goes on so.
    package func add(_ vm: VirtualMachine) {
        guard inventory.context.ledger.ownership(of: vm.id)?.unsettledWith != nil,
            board.begin(vm.id)
        else { return }
        input.yield(vm)
    }

    /// How the talk about a VM goes; nil when there is none.
    package func words(about vm: VMID) -> String? {
        guard inventory.context.ledger.ownership(of: vm)?.unsettledWith != nil else { return nil }
        return board.words(about: vm)
    }

    package func run() async {
        await withDiscardingTaskGroup { group in
            for await vm in vms.cancelOnGracefulShutdown() {
                group.addTask { await cancelWhenGracefulShutdown { await settle(vm) } }
            }
        }
    }

    /// Ends when the ledger leaves nothing to settle, or when its task is cancelled. What there is to settle may
    /// change meanwhile: people rule.
    private func settle(_ vm: VirtualMachine) async {
        defer { board.end(vm.id) }
        let context = inventory.context
        var pause = Limits.settlePauses.first
        var attempts = 0
        while !Task.isCancelled,
            let (host, migration) = context.ledger.ownership(of: vm.id)?.unsettledWith
        {
            let addresses = context.peers.addresses(of: host)
            guard !addresses.isEmpty else {
                context.logger.error(
                    "unsettled with a host whose address is not known",
                    metadata: ["vm": "\(vm.name)", "with": "\(host)"])
                return
            }
            let address = addresses[attempts % addresses.count]
            attempts += 1
            if await attempt(vm, PeerAddress(name: host, address: address), migration) {
                continue
            }
            // Cancelled: the loop's condition sees it.
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, Limits.settlePauses.last)
        }
    }

    /// Asks or tells once; false when that settled nothing.
    private func attempt(
        _ vm: VirtualMachine, _ address: PeerAddress, _ migration: MigrationID
    ) async -> Bool {
        let (context, keys) = (inventory.context, keys)
        do throws(SettlementError) {
            let outcome = try await onThread("settle-\(vm.name)") { () throws(SettlementError) in
                try Settlement.settle(
                    vm: vm.id, with: address, keys: keys, ledger: context.ledger,
                    timing: context.timing)
            }
            await apply(outcome, to: vm, migration, address.name)
            return true
        } catch {
            let code = FailureCode(error)
            board.failed(vm.id, "host \(address.name): \(error) [\(code.rawValue)]")
            context.logger.warning(
                "still unsettled",
                metadata: [
                    "vm": "\(vm.name)", "with": "\(address.name)", "code": "\(code.rawValue)",
                    "error": "\(error)",
                ])
            return false
        }
    }

    private func apply(
        _ outcome: SettlementOutcome, to vm: VirtualMachine, _ migration: MigrationID,
        _ host: HostName
    ) async {
        let (aftermath, isRunning): (String, Bool)
        switch outcome {
        case .handedOver(let epoch):
            await vm.handedOver()
            await inventory.remove(vm)
            (aftermath, isRunning) = ("host \(host) took the VM at epoch \(epoch)", false)
        case .takenBack(let epoch):
            isRunning = await vm.takenBack(epoch) == .running
            aftermath =
                isRunning
                ? "the VM runs where it was, at epoch \(epoch)"
                : "the VM is where it was, at epoch \(epoch), and does not run"
        case .takeoverHeard(let epoch):
            await vm.takeoverConfirmed()
            isRunning = await vm.info().state == .running
            aftermath = "the VM was taken back by a ruling, at epoch \(epoch)"
        }
        inventory.context.logger.info(
            "settled",
            metadata: [
                "vm": "\(vm.name)", "migration": "\(migration)", "outcome": "\(aftermath)",
            ])
        await history.update(migration) {
            $0.failure?.settle(aftermath: aftermath, vmIsRunning: isRunning)
        }
    }
}

/// Who is being talked about, and how that goes.
private final class SettlementBoard: Sendable {
    private struct Entry {
        var attempts = 0
        var lastFailure: String?
    }

    private let entries = Mutex<[VMID: Entry]>([:])

    /// False when there is one already.
    func begin(_ vm: VMID) -> Bool {
        entries.withLock { entries in
            guard entries[vm] == nil else { return false }
            entries[vm] = Entry()
            return true
        }
    }

    func failed(_ vm: VMID, _ words: String) {
        entries.withLock {
            $0[vm]?.attempts += 1
            $0[vm]?.lastFailure = words
        }
    }

    func end(_ vm: VMID) { entries.withLock { $0[vm] = nil } }

    func words(about vm: VMID) -> String? {
        entries.withLock { entries in
            guard let entry = entries[vm] else { return nil }
            guard let failure = entry.lastFailure else { return "talking to the other host" }
            return "tried \(entry.attempts) times, last: \(failure)"
        }
    }
}

extension Ownership {
    /// The host that must be talked to before this is settled, and about which migration.
    fileprivate var unsettledWith: (host: HostName, migration: MigrationID)? {
        switch self {
        case .released(_, let host, let migration), .takenOver(_, let host, let migration):
            (host, migration)
        case .owned, .handedOver, .superseded, .incoming, .neverRan, .deleted: nil
        }
    }
}

extension FailureCode {
    fileprivate init(_ error: SettlementError) {
        self =
            switch error {
            case .nothingToSettle: .ledgerContradicts
            case .noAnswer(let error): FailureCode(error)
            case .refused(let refusal): FailureCode(refusal.code)
            case .ledger(let error): FailureCode(error)
            }
    }
}
