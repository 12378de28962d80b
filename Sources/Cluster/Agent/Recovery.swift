// The agent's desk for people who must decide about a VM: what is known of it here, and rulings.

package import API
import Host
import Logging
import Migration
package import Model
import Ownership

package struct Recovery: Sendable {
    private let inventory: VMInventory
    private let settlements: Settlements
    private let history: MigrationHistory

    package init(inventory: VMInventory, settlements: Settlements, history: MigrationHistory) {
        self.inventory = inventory
        self.settlements = settlements
        self.history = history
    }

    private var context: HostContext { inventory.context }

    // These two are not inlined: the optimiser of Swift 6.3.1 crashes on such a call in a closure that throws any
    // error.

    /// - Parameter name: a VM's name, or its id where only the ledger knows it.
    @inline(never)
    package func info(_ name: String) async throws(Problem) -> RecoveryInfo {
        if let vmName = try? VMName(name), let vm = try? await inventory.vm(named: vmName) {
            return await info(vm)
        }
        guard let id = VMID(name) else { throw unknown(name) }
        if let vm = await inventory.vm(withID: id) { return await info(vm) }
        guard let ownership = context.ledger.ownership(of: id) else { throw unknown(name) }
        return RecoveryInfo(
            host: context.name, vmID: id, name: nil, ledger: LedgerStanding(ownership), state: nil,
            processID: nil, now: nil, options: [])
    }

    private func unknown(_ name: String) -> Problem {
        Problem(.vmNotFound, "neither host \(context.name) nor its ledger knows VM \(name)")
    }

    private func info(_ vm: VirtualMachine) async -> RecoveryInfo {
        await vm.recoveryInfo(settlements.words(about: vm.id))
    }

    /// - Parameter who: for the log.
    @inline(never)
    package func recover(
        _ request: RecoverVM, on name: VMName, by who: Identity
    ) async throws(Problem) -> RecoveryInfo {
        let vm = try await inventory.vm(named: name)
        let before = context.ledger.ownership(of: vm.id)
        do throws(Problem) { try await vm.recover(request) } catch {
            log(request, name, who, ["code": "\(error.code)", "refused": "\(error.detail)"])
            throw error
        }
        log(request, name, who, ["ledger": "\(LedgerStanding(before).words)"])
        settlements.add(vm)
        let info = await info(vm)
        if case .released(_, _, let migration) = before, request.action == .takeOver {
            await history.update(migration) {
                $0.failure?.settle(
                    aftermath: "the VM was taken back by a ruling, at epoch \(info.ledger.epoch)",
                    vmIsRunning: info.state == .running)
            }
        }
        return info
    }

    private func log(
        _ request: RecoverVM, _ name: VMName, _ who: Identity, _ more: Logger.Metadata
    ) {
        let facts: Logger.Metadata = [
            "vm": "\(name)", "ruling": "\(request.action.rawValue)", "who": "\(who)",
            "epoch": "\(request.epoch)",
        ]
        context.logger.warning("ruling", metadata: facts.merging(more) { $1 })
    }
}
