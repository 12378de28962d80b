// What the consistency check reports about one VM, given its ledger record and what exists of it.

package import API
import Host
import Migration
package import Model
package import Ownership
import VMControl

/// A VM at one moment, as the consistency check sees it.
package struct VMCheckFacts: Hashable, Sendable {
    package var id: VMID
    /// Nil when only the ledger knows the VM.
    package var name: VMName?
    package var ownership: Ownership?
    package var remains: DiscoveredState
    package var exit: VMExit?
    package var activity: String?
    /// How long this has been so, at least; nil when that is not known.
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

extension VMCheckFacts {
    /// What is wrong with the VM or should be known of it; nil when it is as its ledger record says.
    package func consistencyFinding(at host: HostName) -> CheckFinding? {
        guard let (code, description) = verdict else { return nil }
        let standing = LedgerStanding(ownership).words
        return CheckFinding(
            code, host: host, vm: name, vmID: id,
            message: "VM \(name?.text ?? "\(id)"): \(description); the ledger: \(standing)",
            ageSeconds: age.map { $0.milliseconds / 1000 })
    }

    private var verdict: (CheckCode, String)? {
        if case .incoming = ownership {
            return activity == nil
                ? (.arrivalUndecided, "its handover has not been decided")
                : (.arriving, activity ?? "")
        }
        // Ledger and reality differ for moments while an operation on the VM runs.
        if activity != nil { return nil }
        if remains == .silent { return (.vmSilent, "its process does not answer") }
        if remains == .running, ownership?.mayRun != true { return (.runsUnowned, "it runs") }
        switch ownership {
        case .owned: return ownedVerdict
        case .takenOver:
            return ownedVerdict.flatMap { $0.0.severity == .error ? $0 : nil }
                ?? (.takeoverUnacknowledged, "it runs here after a forced takeover")
        case .released: return (.unresolvedHandover, "it is paused")
        // A VM that has left, or never came, leaves only its ledger record.
        case _ where remains == .nothing: return nil
        case .superseded: return (.supersededCopy, "its copy here stays paused")
        case nil: return (.vmNotInLedger, "it is paused")
        case .handedOver, .neverRan, .deleted, .incoming: return (.vmNotOwned, "it is still here")
        }
    }

    private var ownedVerdict: (CheckCode, String)? {
        switch remains {
        case .nothing: (.vmLost, "its folder and its process are missing")
        case .paused(isSealed: true):
            (.vmSealed, "it is sealed by a handover, and only a request resumes it")
        case .folder where exit == nil || exit?.reason == .processDied:
            (.vmDied, exit?.detail ?? "its process is gone")
        case .folder, .incoming, .running, .paused(isSealed: false), .silent: nil
        }
    }
}
