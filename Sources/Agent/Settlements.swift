// VMs that were released to a host which then fell silent: this asks that host until it answers.

import ClusterFile
import Logging
import Migration
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
    private let keys: PeerKeys
    private let questions: AsyncStream<Question>
    private let input: AsyncStream<Question>.Continuation

    package init(inventory: VMInventory, keys: PeerKeys) {
        self.inventory = inventory
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

    /// Ends when the question is answered, or when its task is cancelled.
    private func settle(_ question: Question) async {
        let context = inventory.context
        guard let member = context.cluster.host(question.destination) else {
            context.logger.error(
                "released to a host that the cluster file does not have",
                metadata: ["vm": "\(question.vm.name)", "host": "\(question.destination)"])
            return
        }
        let (id, keys) = (question.vm.id, keys)
        let address = PeerAddress(name: member.name, address: member.peer)
        var pause = Limits.settlePauses.first
        while !Task.isCancelled {
            do throws(SettlementError) {
                let outcome = try await onThread("settle-\(question.vm.name)") {
                    () throws(SettlementError) in
                    try Settlement.settle(vm: id, with: address, keys: keys, ledger: context.ledger)
                }
                return await apply(outcome, to: question.vm)
            } catch {
                context.logger.warning(
                    "still unsettled",
                    metadata: ["vm": "\(question.vm.name)", "error": "\(error)"])
            }
            // Cancelled: the loop's condition sees it.
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, Limits.settlePauses.last)
        }
    }

    private func apply(_ outcome: SettlementOutcome, to vm: VirtualMachine) async {
        switch outcome {
        case .handedOver:
            await vm.handedOver()
            await inventory.remove(vm)
        case .takenBack(let epoch): await vm.takenBack(epoch)
        }
    }
}
