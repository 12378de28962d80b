// What a look at a host finds: its ledger held against what is really there.

package import Model

package enum AuditSeverity: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
    case ok, warning, error

    package static func < (left: AuditSeverity, right: AuditSeverity) -> Bool {
        left.order < right.order
    }

    private var order: Int {
        switch self {
        case .ok: 0
        case .warning: 1
        case .error: 2
        }
    }
}

/// What can be found. Codes are stable words; new ones may come.
package enum AuditCode: String, Hashable, Sendable, CaseIterable {
    case ledgerUnsound = "ledger_unsound"
    case diskLow = "disk_low"
    case vmLost = "vm_lost"
    case vmNotInLedger = "vm_not_in_ledger"
    case vmNotOwned = "vm_not_owned"
    case runsUnowned = "runs_unowned"
    case vmSilent = "vm_silent"
    case vmDied = "vm_died"
    case vmSealed = "vm_sealed"
    case unsettled
    case takeoverUnheard = "ruling_unheard"
    case supersededCopy = "overruled_copy"
    case arriving
    case arrivalUndecided = "arrival_undecided"
    case strayProcess = "stray_process"
    case strayFolder = "stray_folder"
    case twoOwners = "two_owners"
    case noOwner = "no_owner"
    case hostSilent = "host_silent"

    package var severity: AuditSeverity {
        switch self {
        case .arriving: .ok
        case .diskLow, .vmDied, .vmSealed, .unsettled, .takeoverUnheard, .supersededCopy,
            .arrivalUndecided, .strayFolder, .hostSilent:
            .warning
        case .ledgerUnsound, .vmLost, .vmNotInLedger, .vmNotOwned, .runsUnowned, .vmSilent,
            .strayProcess, .twoOwners, .noOwner:
            .error
        }
    }

    /// One sentence; a finding's own message has the facts as well.
    package var summary: String {
        switch self {
        case .ledgerUnsound: "The ledger file is not what the agent wrote."
        case .diskLow: "The state folder's disk is nearly full."
        case .vmLost: "The ledger owns a VM of which nothing is there."
        case .vmNotInLedger: "There is a VM that the ledger does not know."
        case .vmNotOwned: "There is a VM that the ledger says is not here."
        case .runsUnowned: "A guest runs that the ledger does not let run."
        case .vmSilent: "A VM's process is there and does not answer."
        case .vmDied: "A VM's process ended without a word."
        case .vmSealed: "A VM stands still after a handover that is over."
        case .unsettled: "A VM was released, and its destination has not answered."
        case .takeoverUnheard: "A VM runs by a ruling that the other host has not heard of."
        case .supersededCopy: "A copy of a VM stands still for good after a ruling."
        case .arriving: "A VM is arriving."
        case .arrivalUndecided: "A VM arrived, and its ledger could not say whose it is."
        case .strayProcess: "A ferry-vmm process that the agent does not know uses its folder."
        case .strayFolder: "There is a VM folder that is no VM's."
        case .twoOwners: "Two hosts own a VM."
        case .noOwner: "No host owns a VM."
        case .hostSilent: "A host does not answer, so nothing is known of it."
        }
    }

    package var advice: String {
        switch self {
        case .ledgerUnsound:
            "start no migration from or to this host; restart its agent, and if that does not start, do what it says"
        case .diskLow: "make room: new VMs, saves and a ledger that is written anew need it"
        case .vmLost: "see whether the folder can be brought back; else delete the VM"
        case .vmNotInLedger:
            "see with `ferry vm recover` where else it is known; save it or delete it"
        case .vmNotOwned: "restart the agent: it removes what the ledger says is not here"
        case .runsUnowned: "pause it at once, and see with `ferry vm recover` who owns it"
        case .vmSilent: "look at its vmm.log; `ferry vm stop` ends it"
        case .vmDied: "look at its vmm.log; `ferry vm start` boots it again"
        case .vmSealed: "`ferry vm resume` lets it run on"
        case .unsettled: "bring the destination's agent back; or see `ferry vm recover`"
        case .takeoverUnheard:
            "bring the other host's agent back; if it is gone for good, see `ferry vm recover`"
        case .supersededCopy: "save it if its memory is of use, then delete it"
        case .arriving: "nothing"
        case .arrivalUndecided: "bring the source's agent back, or see `ferry vm recover`"
        case .strayProcess: "end it, if it is not one that is just being started"
        case .strayFolder: "look into it, and remove it if it is of no use"
        case .twoOwners: "stop the older copy at once, and see `ferry vm recover`"
        case .noOwner: "see `ferry vm recover`; if all that is left is a saved file, restore it"
        case .hostSilent: "bring its agent back"
        }
    }
}

package struct AuditFinding: Hashable, Sendable, Codable {
    /// See `AuditCode`.
    package var code: String
    package var severity: AuditSeverity
    /// Nil when it is about more than one.
    package var host: HostName?
    package var vm: VMName?
    package var vmID: VMID?
    package var message: String
    package var advice: String
    /// For how long it has been so, where that is known; at least so long where the agent found it when it started.
    package var ageSeconds: Double?

    package init(
        _ code: AuditCode, host: HostName? = nil, vm: VMName? = nil, vmID: VMID? = nil,
        _ message: String, ageSeconds: Double? = nil
    ) {
        self.code = code.rawValue
        severity = code.severity
        self.host = host
        self.vm = vm
        self.vmID = vmID
        self.message = message
        advice = code.advice
        self.ageSeconds = ageSeconds
    }
}

/// A VM that a host's ledger or inventory knows.
package struct AuditedVM: Hashable, Sendable, Codable {
    package var id: VMID
    package var name: VMName?
    package var ledger: LedgerStanding
    package var state: VMState?
    /// It is being created, moved or deleted: what is true now is not what will be.
    package var isBusy: Bool

    package init(
        id: VMID, name: VMName?, ledger: LedgerStanding, state: VMState?, isBusy: Bool
    ) {
        self.id = id
        self.name = name
        self.ledger = ledger
        self.state = state
        self.isBusy = isBusy
    }
}

package struct HostAudit: Hashable, Sendable, Codable {
    package var host: HostName
    /// Of the ledger: nil when it cannot be read.
    package var ledgerSlots: Int?
    package var ledgerSlotsUsed: Int?
    package var diskFreeBytes: UInt64?
    package var vms: [AuditedVM]
    package var findings: [AuditFinding]

    package init(
        host: HostName, ledgerSlots: Int? = nil, ledgerSlotsUsed: Int? = nil,
        diskFreeBytes: UInt64? = nil, vms: [AuditedVM], findings: [AuditFinding]
    ) {
        self.host = host
        self.ledgerSlots = ledgerSlots
        self.ledgerSlotsUsed = ledgerSlotsUsed
        self.diskFreeBytes = diskFreeBytes
        self.vms = vms
        self.findings = findings
    }
}
