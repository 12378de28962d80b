// The result of a host's consistency check: its ledger compared with its VMs, folders and processes.

package import Model

package enum CheckSeverity: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
    case ok, warning, error

    package static func < (left: CheckSeverity, right: CheckSeverity) -> Bool {
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

/// The kinds of findings. Codes are stable; later versions may add more.
package enum CheckCode: String, Hashable, Sendable, CaseIterable {
    case ledgerUnsound = "ledger_unsound"
    case diskLow = "disk_low"
    case vmLost = "vm_lost"
    case vmNotInLedger = "vm_not_in_ledger"
    case vmNotOwned = "vm_not_owned"
    case runsUnowned = "runs_unowned"
    case vmSilent = "vm_silent"
    case vmDied = "vm_died"
    case vmSealed = "vm_sealed"
    case unresolvedHandover = "unsettled"
    case takeoverUnacknowledged = "ruling_unheard"
    case supersededCopy = "overruled_copy"
    case arriving
    case arrivalUndecided = "arrival_undecided"
    case strayProcess = "stray_process"
    case strayFolder = "stray_folder"
    case twoOwners = "two_owners"
    case noOwner = "no_owner"
    case hostSilent = "host_silent"

    package var severity: CheckSeverity {
        switch self {
        case .arriving: .ok
        case .diskLow, .vmDied, .vmSealed, .unresolvedHandover, .takeoverUnacknowledged,
            .supersededCopy,
            .arrivalUndecided, .strayFolder, .hostSilent:
            .warning
        case .ledgerUnsound, .vmLost, .vmNotInLedger, .vmNotOwned, .runsUnowned, .vmSilent,
            .strayProcess, .twoOwners, .noOwner:
            .error
        }
    }

    /// One sentence. The message of a finding adds the facts.
    package var summary: String {
        switch self {
        case .ledgerUnsound: "The ledger file does not contain what the agent wrote."
        case .diskLow: "The state folder's disk is nearly full."
        case .vmLost:
            "The ledger says that this host owns a VM, and neither its folder nor its process exists."
        case .vmNotInLedger: "A VM exists on this host and has no record in the ledger."
        case .vmNotOwned: "A VM exists on this host, and the ledger says that it is not here."
        case .runsUnowned: "A guest runs that this host does not own."
        case .vmSilent: "A VM's process exists and does not answer."
        case .vmDied: "A VM's process ended without recording an exit reason."
        case .vmSealed: "A VM is still paused by a handover that has ended."
        case .unresolvedHandover:
            "A VM was released to its destination, and the destination has not answered (unresolved handover)."
        case .takeoverUnacknowledged:
            "A VM runs after a forced takeover that the other host has not acknowledged."
        case .supersededCopy: "A copy of a VM was superseded by a forced takeover and stays paused."
        case .arriving: "A VM is arriving."
        case .arrivalUndecided: "A VM arrived, and the ledger does not record its owner yet."
        case .strayProcess: "A ferry-vmm process that the agent did not start uses a VM folder."
        case .strayFolder: "The VM folder contains an entry that belongs to no VM."
        case .twoOwners: "Two hosts own a VM."
        case .noOwner: "No host owns a VM."
        case .hostSilent: "A host does not answer, so its state is unknown."
        }
    }

    package var advice: String {
        switch self {
        case .ledgerUnsound:
            "do not start migrations from or to this host; restart its agent, and if the agent does not start, follow its error message"
        case .diskLow: "free disk space: new VMs, saved VMs and a rewritten ledger need it"
        case .vmLost: "restore the VM's folder if you can; otherwise delete the VM"
        case .vmNotInLedger:
            "find out with `ferry vm recover` which other hosts know the VM, then save it or delete it"
        case .vmNotOwned: "restart the agent: it removes VMs that this host does not own"
        case .runsUnowned: "pause the VM now, and find its owner with `ferry vm recover`"
        case .vmSilent: "read the VM's vmm.log; `ferry vm stop` ends the process"
        case .vmDied: "read the VM's vmm.log; `ferry vm start` boots the VM again"
        case .vmSealed: "run `ferry vm resume`"
        case .unresolvedHandover: "start the destination's agent, or use `ferry vm recover`"
        case .takeoverUnacknowledged:
            "start the other host's agent; if that host is permanently lost, use `ferry vm recover`"
        case .supersededCopy: "save the copy if you need its memory, then delete it"
        case .arriving: "nothing"
        case .arrivalUndecided: "start the source's agent, or use `ferry vm recover`"
        case .strayProcess: "end the process, unless a VM is being started"
        case .strayFolder: "inspect the entry, and remove it if you do not need it"
        case .twoOwners: "stop the older copy now, then use `ferry vm recover`"
        case .noOwner: "use `ferry vm recover`; if only a saved VM is left, restore it"
        case .hostSilent: "start the host's agent"
        }
    }
}

package struct CheckFinding: Hashable, Sendable, Codable {
    /// See `CheckCode`.
    package var code: String
    package var severity: CheckSeverity
    /// Nil when the finding concerns more than one host.
    package var host: HostName?
    package var vm: VMName?
    package var vmID: VMID?
    package var message: String
    package var advice: String
    /// How long this has been so, if known. For a state that the agent found at its start: how long at least.
    package var ageSeconds: Double?

    package init(
        _ code: CheckCode, host: HostName? = nil, vm: VMName? = nil, vmID: VMID? = nil,
        message: String, ageSeconds: Double? = nil
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
package struct CheckedVM: Hashable, Sendable, Codable {
    package var id: VMID
    package var name: VMName?
    package var ledger: LedgerStanding
    package var state: VMState?
    /// The VM is being created, migrated or deleted, so its state and its ledger record may differ for a moment.
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

package struct HostCheck: Hashable, Sendable, Codable {
    package var host: HostName
    /// Size of the ledger in records; nil when the ledger cannot be read.
    package var ledgerSlots: Int?
    package var ledgerSlotsUsed: Int?
    package var diskFreeBytes: UInt64?
    package var vms: [CheckedVM]
    package var findings: [CheckFinding]

    package init(
        host: HostName, ledgerSlots: Int? = nil, ledgerSlotsUsed: Int? = nil,
        diskFreeBytes: UInt64? = nil, vms: [CheckedVM], findings: [CheckFinding]
    ) {
        self.host = host
        self.ledgerSlots = ledgerSlots
        self.ledgerSlotsUsed = ledgerSlotsUsed
        self.diskFreeBytes = diskFreeBytes
        self.vms = vms
        self.findings = findings
    }
}
