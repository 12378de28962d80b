// A VM as its host's agent shows it.

package import Model

package struct VMInfo: Hashable, Sendable, Codable {
    package var id: VMID
    package var host: HostName
    package var state: VMState
    package var spec: VMSpec
    /// The saved file that it was made from, when it was made on this host: it holds no kernel.
    package var restoredFrom: String?
    /// Of the VM's ownership; grows with each move.
    package var epoch: UInt64
    /// Of all its vCPUs, on this host.
    package var cpuTimeMs: Double
    /// Of its ferry-vmm; nil when it is not running.
    package var processID: Int32?
    /// What keeps it busy: "saving", "migrating to host-b"; nil when nothing does.
    package var activity: String?
    package var exit: VMExit?
    /// Something an operator should know: a handover whose outcome is not known, say.
    package var warning: String?

    package var name: VMName { spec.name }

    package init(
        id: VMID, host: HostName, state: VMState, spec: VMSpec, epoch: UInt64,
        cpuTimeMs: Double = 0
    ) {
        self.id = id
        self.host = host
        self.state = state
        self.spec = spec
        self.epoch = epoch
        self.cpuTimeMs = cpuTimeMs
    }

    /// `spec` may be absent: an agent of the version before writes its fields flat.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        id = try fields.decode(VMID.self, forKey: .id)
        host = try fields.decode(HostName.self, forKey: .host)
        state = try fields.decode(VMState.self, forKey: .state)
        spec = try VMSpec(nestedIn: decoder, forKey: CodingKeys.spec)
        restoredFrom = try fields.decodeIfPresent(String.self, forKey: .restoredFrom)
        epoch = try fields.decode(UInt64.self, forKey: .epoch)
        cpuTimeMs = try fields.decode(Double.self, forKey: .cpuTimeMs)
        processID = try fields.decodeIfPresent(Int32.self, forKey: .processID)
        activity = try fields.decodeIfPresent(String.self, forKey: .activity)
        exit = try fields.decodeIfPresent(VMExit.self, forKey: .exit)
        warning = try fields.decodeIfPresent(String.self, forKey: .warning)
    }
}

package struct VMList: Hashable, Sendable, Codable {
    package var vms: [VMInfo]
    package init(vms: [VMInfo]) { self.vms = vms }
}
