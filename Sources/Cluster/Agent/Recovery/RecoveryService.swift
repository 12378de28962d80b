// What the agent does for operators and controllers who must decide about a VM: it reports what is known here, and
// carries out their recovery actions.

package import API
import Host
import Logging
import Migration
package import Model
import Ownership

package struct RecoveryService: Sendable {
    private let inventory: VMInventory
    private let resolver: HandoverResolver
    private let history: MigrationHistory

    package init(
        inventory: VMInventory, resolver: HandoverResolver, history: MigrationHistory
    ) {
        self.inventory = inventory
        self.resolver = resolver
        self.history = history
    }

    private var context: HostContext { inventory.context }

    // These two are not inlined: the optimiser of Swift 6.3.1 crashes on such a call in a closure that throws any
    // error.

    /// - Parameter name: a VM's name, or its id where only the ledger knows it.
    @inline(never)
    package func readRecoveryInfo(nameOrID name: String) async throws(Problem) -> RecoveryInfo {
        if let vmName = try? VMName(name),
            let vm = try? await inventory.virtualMachine(named: vmName)
        {
            return await readRecoveryInfo(of: vm)
        }
        guard let id = VMID(name) else { throw unknownVMProblem(name: name) }
        if let vm = await inventory.virtualMachine(withID: id) {
            return await readRecoveryInfo(of: vm)
        }
        guard let ownership = context.ledger.ownership(of: id) else {
            throw unknownVMProblem(name: name)
        }
        return RecoveryInfo(
            host: context.name, vmID: id, name: nil, ledger: LedgerStanding(ownership), state: nil,
            processID: nil, now: nil, options: [])
    }

    private func unknownVMProblem(name: String) -> Problem {
        Problem(.vmNotFound, detail: "neither host \(context.name) nor its ledger knows VM \(name)")
    }

    private func readRecoveryInfo(of vm: VirtualMachine) async -> RecoveryInfo {
        await vm.readRecoveryInfo(progress: resolver.describeProgress(of: vm.id))
    }

    /// - Parameter caller: for the log.
    @inline(never)
    package func recoverVM(
        named name: VMName, with request: RecoverVM, orderedBy caller: Identity
    ) async throws(Problem) -> RecoveryInfo {
        let vm = try await inventory.virtualMachine(named: name)
        let before = context.ledger.ownership(of: vm.id)
        var facts: Logger.Metadata = [
            "vm": "\(name)", "ruling": "\(request.action.rawValue)", "who": "\(caller)",
            "epoch": "\(request.epoch)",
        ]
        do throws(Problem) { try await vm.recoverVM(with: request) } catch {
            facts["code"] = "\(error.code)"
            facts["refused"] = "\(error.detail)"
            context.logger.warning("recovery action", metadata: facts)
            throw error
        }
        facts["ledger"] = "\(LedgerStanding(before).words)"
        context.logger.warning("recovery action", metadata: facts)
        resolver.resolveHandover(of: vm)
        let info = await readRecoveryInfo(of: vm)
        if case .released(_, _, let migration) = before, request.action == .takeOver {
            await history.updateMigration(withID: migration) {
                $0.failure?.resolveOutcome(
                    aftermath:
                        "this host took the VM back by a forced takeover, at epoch \(info.ledger.epoch)",
                    vmIsRunning: info.state == .running)
            }
        }
        return info
    }
}
