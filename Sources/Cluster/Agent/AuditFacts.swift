// What an audit says of one VM, given what its ledger says and what is there.

package import API
import Host
import Migration
package import Model
package import Ownership
import VMControl

/// A VM as an audit sees it, at one moment.
package struct AuditFacts: Hashable, Sendable {
    package var id: VMID
    /// Nil when nothing but the ledger knows it.
    package var name: VMName?
    package var ownership: Ownership?
    package var remains: DiscoveredState
    package var exit: VMExit?
    package var activity: String?
    /// For how long it has been so, at least; nil when that is not known.
    package var age: Duration?

    package init(
        id: VMID, name: VMName?, ownership: Ownership?, remains: DiscoveredState,
        exit: VMExit? = nil,
        activity: String? = nil, age: Duration? = nil
    ) {
        self.id = id
        self.name = name
        self.ownership = ownership
        self.remains = remains
        self.exit = exit
        self.activity = activity
        self.age = age
    }
}

extension AuditFacts {
    /// What is wrong with a VM, or worth a word; nil when all is as the ledger says.
    package func finding(at host: HostName) -> AuditFinding? {
        guard let (code, words) = verdict else { return nil }
        let standing = LedgerStanding(ownership).words
        return AuditFinding(
            code, host: host, vm: name, vmID: id,
            "VM \(name?.text ?? "\(id)"): \(words); the ledger: \(standing)",
            ageSeconds: age.map { $0.milliseconds / 1000 })
    }

    private var verdict: (AuditCode, String)? {
        if case .incoming = ownership {
            return activity == nil
                ? (.arrivalUndecided, "it waits for its fate") : (.arriving, activity ?? "")
        }
        // Ledger and reality go their ways for moments while something is done to a VM.
        if activity != nil { return nil }
        if remains == .silent { return (.vmSilent, "its process does not answer") }
        if remains == .running, ownership?.mayRun != true { return (.runsUnowned, "it runs") }
        switch ownership {
        case .owned: return ownedVerdict
        case .takenOver:
            return ownedVerdict.flatMap { $0.0.severity == .error ? $0 : nil }
                ?? (.takeoverUnheard, "it is here by a ruling")
        case .released: return (.unsettled, "it stands still")
        // What has left, or never came, leaves a word in the ledger and nothing else.
        case _ where remains == .nothing: return nil
        case .superseded: return (.supersededCopy, "its copy stands still for good")
        case nil: return (.vmNotInLedger, "it stands still")
        case .handedOver, .neverRan, .deleted, .incoming: return (.vmNotOwned, "it is still here")
        }
    }

    private var ownedVerdict: (AuditCode, String)? {
        switch remains {
        case .nothing: (.vmLost, "nothing of it is here")
        case .paused(isSealed: true): (.vmSealed, "it is sealed, and nobody will resume it")
        case .folder where exit == nil || exit?.reason == .processDied:
            (.vmDied, exit?.detail ?? "its process is gone")
        case .folder, .incoming, .running, .paused(isSealed: false), .silent: nil
        }
    }
}

extension VirtualMachine {
    /// Also the process's number, silent or not.
    func auditFacts() async -> (AuditFacts, VMState, Int32?) {
        await refresh()
        let remains: DiscoveredState =
            if process != nil {
                DiscoveredState(status)
            } else if silentProcess != nil {
                .silent
            } else {
                Folder.isThere(files.folder) ? .folder : .nothing
            }
        let facts = AuditFacts(
            id: id, name: name, ownership: context.ledger.ownership(of: id), remains: remains,
            exit: status.exit, activity: activity, age: Instant.now - since)
        return (facts, status.state, (process?.handle ?? silentProcess)?.processID)
    }
}
