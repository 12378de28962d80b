// VMs that were released to a host which then fell silent: this asks that host until it answers.

import API
import ClusterFile
import Logging
import Migration
import MigrationProtocol
package import Model
package import PeerLink
import ServiceLifecycle

/// A VM's question to another host.
private struct Question: Sendable {
    let vm: VirtualMachine
    let destination: HostName
}

/// Settles one VM after another, each in a task of its own, until shutdown.
package struct Settlements: Sendable {
    private let inventory: VMInventory
    private let history: MigrationHistory
    private let keys: PeerKeys
    private let questions: AsyncStream<Question>
    private let input: AsyncStream<Question>.Continuation

    package init(inventory: VMInventory, history: MigrationHistory, keys: PeerKeys) {
        self.inventory = inventory
        self.history = history
        self.keys = keys
        (questions, input) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingOldest(Limits.vmsMax))
    }

    package func add(_ vm: VirtualMachine, with destination: HostName) {
        input.yield(Question(vm: vm, destination: destination))
    }

    package func run() async {
        await withDiscardingTaskGroup { group in
            for await question in questions.cancelOnGracefulShutdown() {
                group.addTask { await cancelWhenGracefulShutdown { await settle(question) } }
            }
        }
    }

    /// Ends when the question is answered and the ledger has it, or when its task is cancelled.
    private func settle(_ question: Question) async {
        let context = inventory.context
        let (vm, keys) = (question.vm, keys)
        guard let member = context.cluster.host(question.destination),
            case .released(_, _, let migration) = context.ledger.ownership(of: vm.id)
        else {
            context.logger.error(
                "released to a host that the cluster file does not have",
                metadata: ["vm": "\(vm.name)", "to": "\(question.destination)"])
            return
        }
        let address = PeerAddress(name: member.name, address: member.peer)
        var pause = Limits.settlePauses.first
        while !Task.isCancelled {
            do throws(SettlementError) {
                let outcome = try await onThread("settle-\(vm.name)") {
                    () throws(SettlementError) in
                    try Settlement.settle(
                        vm: vm.id, with: address, keys: keys, ledger: context.ledger,
                        timing: context.timing)
                }
                return await apply(outcome, to: vm, migration, member.name)
            } catch {
                context.logger.warning(
                    "still unsettled",
                    metadata: [
                        "vm": "\(vm.name)", "with": "\(member.name)",
                        "code": "\(FailureCode(error).rawValue)", "error": "\(error)",
                    ])
            }
            // Cancelled: the loop's condition sees it.
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, Limits.settlePauses.last)
        }
    }

    private func apply(
        _ outcome: SettlementOutcome, to vm: VirtualMachine, _ migration: MigrationID,
        _ destination: HostName
    ) async {
        let (aftermath, isRunning): (String, Bool)
        switch outcome {
        case .handedOver(let epoch):
            await vm.handedOver()
            await inventory.remove(vm)
            (aftermath, isRunning) = ("host \(destination) took the VM at epoch \(epoch)", false)
        case .takenBack(let epoch):
            isRunning = await vm.takenBack(epoch) == .running
            aftermath =
                isRunning
                ? "the VM runs where it was, at epoch \(epoch)"
                : "the VM is where it was, at epoch \(epoch), and does not run"
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
