// The consistency check of this host: it compares the ledger with VMs, folders and processes, and changes nothing.

package import API
import FoundationEssentials
import Host
import Migration
import Model
import Ownership

package struct HostChecker: Sendable {
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

    package func checkHost() async -> HostCheck {
        var check = HostCheck(host: context.name, vms: [], findings: [])
        await checkLedgerFile(into: &check)
        let processes = await checkInventory(into: &check)
        await checkLedgerRecords(into: &check)
        await checkVMFolders(into: &check)
        await checkVMProcesses(into: &check, known: processes)
        return check
    }

    /// The ledger file and the disk that holds it.
    private func checkLedgerFile(into check: inout HostCheck) async {
        let (ledger, path) = (context.ledger, context.state.path)
        let host = context.name
        let (usage, free) = await runOnThread(named: "check") {
            () -> (Result<LedgerUsage, LedgerError>, UInt64?) in
            let usage: Result<LedgerUsage, LedgerError>
            do throws(LedgerError) { usage = .success(try ledger.checkIntegrity()) } catch {
                usage = .failure(error)
            }
            // If the folder cannot be read, the check of its files reports that.
            return (usage, try? Folder.availableBytes(at: path))
        }
        switch usage {
        case .success(let usage):
            (check.ledgerSlots, check.ledgerSlotsUsed) = (usage.slots, usage.used)
        case .failure(let error):
            check.findings.append(CheckFinding(.ledgerUnsound, host: host, message: "\(error)"))
        }
        check.diskFreeBytes = free
        if let free, free < Limits.diskFreeMin {
            check.findings.append(
                CheckFinding(
                    .diskLow, host: host, message: "\(free >> 20) MiB are free in \(path)"))
        }
    }

    /// The VMs of the inventory. Returns the numbers of their processes.
    private func checkInventory(into check: inout HostCheck) async -> Set<Int32> {
        var processes: Set<Int32> = []
        for vm in await inventory.sortedVMs() {
            let observation = await vm.observeForCheck()
            if let process = observation.processID { processes.insert(process) }
            let facts = observation.facts
            check.vms.append(
                CheckedVM(
                    id: facts.id, name: facts.name, ledger: LedgerStanding(facts.ownership),
                    state: observation.state, isBusy: facts.activity != nil))
            if let finding = await makeFinding(from: facts) { check.findings.append(finding) }
        }
        return processes
    }

    /// VMs that only the ledger knows: the check of the whole cluster needs them, and lost VMs are among them.
    private func checkLedgerRecords(into check: inout HostCheck) async {
        let known = Set(check.vms.map(\.id))
        for (id, ownership) in context.ledger.ownerships where !known.contains(id) {
            // The VM is being created, or was deleted a moment ago.
            let isComing = await inventory.containsVM(withID: id)
            check.vms.append(
                CheckedVM(
                    id: id, name: nil, ledger: LedgerStanding(ownership), state: nil,
                    isBusy: isComing))
            let facts = VMCheckFacts(id: id, name: nil, ownership: ownership, remains: .nothing)
            // The owner may have changed since `ownerships` was read.
            guard !isComing, context.ledger.ownership(of: id) == ownership,
                let finding = await makeFinding(from: facts)
            else { continue }
            check.findings.append(finding)
        }
    }

    /// The finding about a VM, with the state and the age of its unresolved handover.
    private func makeFinding(from facts: VMCheckFacts) async -> CheckFinding? {
        guard var finding = facts.consistencyFinding(at: context.name) else { return nil }
        if let progress = resolver.describeProgress(of: facts.id) {
            finding.message += "; \(progress)"
        }
        if case .released(_, _, let migration) = facts.ownership,
            let start = await history.migrationInfo(withID: migration)?.startedAtMs
        {
            finding.ageSeconds = max(0, Date.now.timeIntervalSince1970 - Double(start) / 1000)
        }
        return finding
    }

    /// Entries of the VM folder that belong to no VM.
    private func checkVMFolders(into check: inout HostCheck) async {
        let vms = context.state.vms
        let listing = await runOnThread(named: "check") {
            Result { () throws(SystemError) in try Folder.entryNames(at: vms) }
        }
        var names: [String] = []
        switch listing {
        case .success(let listed): names = listed
        case .failure(let error):
            check.findings.append(
                CheckFinding(
                    .strayFolder, host: context.name,
                    message: "\(vms) cannot be listed, so its contents are unknown: \(error)"))
        }
        for name in names {
            if let vmName = try? VMName(name), await inventory.containsVM(named: vmName) {
                continue
            }
            guard Folder.isPresent(at: "\(vms)/\(name)") || File.isPresent(at: "\(vms)/\(name)")
            else {
                continue
            }
            check.findings.append(
                CheckFinding(
                    .strayFolder, host: context.name, message: "\(vms)/\(name) belongs to no VM"))
        }
    }

    /// ferry-vmm processes in the VM folder that belong to no VM.
    /// - Parameter known: the numbers of the processes of VMs.
    private func checkVMProcesses(into check: inout HostCheck, known: Set<Int32>) async {
        let vms = context.state.vms
        let processes = await runOnThread(named: "check") {
            DiscoveredProcess.findVMProcesses(under: vms)
        }
        for process in processes where !known.contains(process.processID) {
            if let name = process.name, await inventory.isVMStartingOrLeaving(named: name) {
                continue
            }
            check.findings.append(
                CheckFinding(
                    .strayProcess, host: context.name, vm: process.name,
                    message:
                        "process \(process.processID) is a ferry-vmm in \(process.folder) and belongs to no VM of this agent"
                ))
        }
    }
}
