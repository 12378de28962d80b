// A VM as its host's agent shows it.

package import Model

package struct VMInfo: Hashable, Sendable, Codable {
    package var id: VMID
    package var name: VMName
    package var host: HostName
    package var state: VMState
    package var memoryBytes: UInt64
    package var vcpus: Int
    package var hugePages: Bool
    package var downtimeLimitMs: Double
    package var commandLine: String
    /// It boots the kernel that comes with Ferry. With neither that nor a path it cannot boot again.
    package var hasShippedKernel: Bool
    package var kernelPath: String?
    package var initrdPath: String?
    /// The saved file that it was made from, when it was made on this host: it holds no kernel.
    package var restoredFrom: String?
    /// It stops for good when its host's lease ends.
    package var isLeased: Bool
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

    package init(
        id: VMID, name: VMName, host: HostName, state: VMState, memoryBytes: UInt64, vcpus: Int,
        hugePages: Bool, downtimeLimitMs: Double, commandLine: String, hasShippedKernel: Bool,
        kernelPath: String?,
        initrdPath: String?, restoredFrom: String? = nil, isLeased: Bool = false, epoch: UInt64,
        cpuTimeMs: Double, processID: Int32?,
        activity: String?, exit: VMExit?, warning: String?
    ) {
        self.id = id
        self.name = name
        self.host = host
        self.state = state
        self.memoryBytes = memoryBytes
        self.vcpus = vcpus
        self.hugePages = hugePages
        self.downtimeLimitMs = downtimeLimitMs
        self.commandLine = commandLine
        self.hasShippedKernel = hasShippedKernel
        self.kernelPath = kernelPath
        self.initrdPath = initrdPath
        self.restoredFrom = restoredFrom
        self.isLeased = isLeased
        self.epoch = epoch
        self.cpuTimeMs = cpuTimeMs
        self.processID = processID
        self.activity = activity
        self.exit = exit
        self.warning = warning
    }
}

package struct VMList: Hashable, Sendable, Codable {
    package var vms: [VMInfo]
    package init(vms: [VMInfo]) { self.vms = vms }
}
