// Holds the ledger against reality: VMs, folders, processes, the ledger file itself. Changes nothing.

package import API
import FoundationEssentials
import Host
import Migration
import Model
import Ownership

package struct Auditor: Sendable {
    private let inventory: VMInventory
    private let settlements: Settlements
    private let history: MigrationHistory

    package init(inventory: VMInventory, settlements: Settlements, history: MigrationHistory) {
        self.inventory = inventory
        self.settlements = settlements
        self.history = history
    }

    private var context: HostContext { inventory.context }

    package func audit() async -> HostAudit {
        var audit = HostAudit(host: context.name, vms: [], findings: [])
        await auditState(&audit)
        var processes: Set<Int32> = []
        for vm in await inventory.all() {
            let (facts, state, process) = await vm.auditFacts()
            if let process { processes.insert(process) }
            audit.vms.append(
                AuditedVM(
                    id: facts.id, name: facts.name, ledger: LedgerStanding(facts.ownership),
                    state: state, isBusy: facts.activity != nil))
            if let finding = facts.finding(at: context.name) {
                audit.findings.append(await detailed(finding, facts))
            }
        }
        await auditLedger(&audit)
        await auditFolders(&audit, known: processes)
        return audit
    }

    /// The ledger file and the disk that it is on.
    private func auditState(_ audit: inout HostAudit) async {
        let (ledger, path) = (context.ledger, context.state.path)
        let host = context.name
        let (usage, free) = await onThread("audit") {
            () -> (Result<LedgerUsage, LedgerError>, UInt64?) in
            let usage: Result<LedgerUsage, LedgerError>
            do throws(LedgerError) { usage = .success(try ledger.check()) } catch {
                usage = .failure(error)
            }
            // A folder that cannot be asked shows in what is asked of its files.
            return (usage, try? Folder.freeBytes(path))
        }
        switch usage {
        case .success(let usage):
            (audit.ledgerSlots, audit.ledgerSlotsUsed) = (usage.slots, usage.used)
        case .failure(let error):
            audit.findings.append(AuditFinding(.ledgerUnsound, host: host, "\(error)"))
        }
        audit.diskFreeBytes = free
        if let free, free < Limits.diskFreeMin {
            audit.findings.append(
                AuditFinding(.diskLow, host: host, "\(free >> 20) MiB are free in \(path)"))
        }
    }

    /// With what the agent does about it, and since when.
    private func detailed(_ finding: AuditFinding, _ facts: AuditFacts) async -> AuditFinding {
        var finding = finding
        if let words = settlements.words(about: facts.id) { finding.message += "; \(words)" }
        if case .released(_, _, let migration) = facts.ownership,
            let start = await history.info(migration)?.startedAtMs
        {
            finding.ageSeconds = max(0, Date.now.timeIntervalSince1970 - Double(start) / 1000)
        }
        return finding
    }

    /// What only the ledger knows: for other hosts' audits, and VMs that should be here.
    private func auditLedger(_ audit: inout HostAudit) async {
        let known = Set(audit.vms.map(\.id))
        for (id, ownership) in context.ledger.ownerships where !known.contains(id) {
            // One that is just being created, or has just been deleted.
            let isComing = await inventory.isKnown(id)
            audit.vms.append(
                AuditedVM(
                    id: id, name: nil, ledger: LedgerStanding(ownership), state: nil,
                    isBusy: isComing))
            let facts = AuditFacts(id: id, name: nil, ownership: ownership, remains: .nothing)
            // It may have become another's meanwhile.
            guard !isComing, context.ledger.ownership(of: id) == ownership,
                let finding = facts.finding(at: context.name)
            else { continue }
            audit.findings.append(await detailed(finding, facts))
        }
    }

    private func auditFolders(_ audit: inout HostAudit, known: Set<Int32>) async {
        let vms = context.state.vms
        let (listing, strays) = await onThread("audit") {
            (
                Result { () throws(SystemError) in try Folder.names(in: vms) },
                FoundProcess.all(in: vms)
            )
        }
        var names: [String] = []
        switch listing {
        case .success(let found): names = found
        case .failure(let error):
            audit.findings.append(
                AuditFinding(
                    .strayFolder, host: context.name,
                    "\(vms) cannot be listed, so what else lies there is not known: \(error)"))
        }
        for name in names {
            if let vmName = try? VMName(name), await inventory.isKnown(vmName) { continue }
            guard Folder.isThere("\(vms)/\(name)") || File.isThere("\(vms)/\(name)") else {
                continue
            }
            audit.findings.append(
                AuditFinding(.strayFolder, host: context.name, "\(vms)/\(name) is no VM's"))
        }
        for stray in strays where !known.contains(stray.processID) {
            if let name = stray.name, await inventory.isStartingOrLeaving(name) { continue }
            audit.findings.append(
                AuditFinding(
                    .strayProcess, host: context.name, vm: stray.name,
                    "process \(stray.processID) is a ferry-vmm in \(stray.folder), and no VM's of this agent"
                ))
        }
    }
}
