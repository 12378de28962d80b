// What an agent says to the controller, and what it hears back.
//
//   agent                                   controller
//   PUT  /v1/agents/NAME            ──────▶ who it is, what its host has             ──▶ HeartbeatAnswer
//   POST /v1/agents/NAME/heartbeat  ──────▶ load, VMs, migrations, every few seconds ──▶ HeartbeatAnswer
//
// Commands go the other way, as requests to the agent's own API with the controller's certificate, and carry the
// term of who commands in `Ferry-Term`: an agent that has heard a higher term refuses them (`stale_term`).
// The lease runs from the moment at which the agent sent the heartbeat that was answered.

package import Model

/// The header that carries a controller's term in its commands to agents.
package let termHeader = "Ferry-Term"

/// A host as its agent registers it. Sent at the start of either side, and when something of it changes.
package struct HostRegistration: Hashable, Sendable, Codable {
    /// Random, of this life of the agent.
    package var agentID: Identifier128
    package var agentVersion: String
    /// "IP:PORT" of the agent's API and of the peer protocol.
    package var apiAddress: String
    package var peerAddress: String
    package var cores: Int
    package var memoryBytes: UInt64
    /// Kept back from VMs.
    package var memoryReserveBytes: UInt64
    package var cpuFeatures: [String]
    /// "key=value" or plain words.
    package var labels: [String]
    /// What fails together; empty: not known, so on its own.
    package var zone: String
    package var rack: String
    /// The link that its migrations share with other hosts; empty: its own.
    package var link: String
    package var linkBytesPerSecond: Double
    /// vCPUs that may be promised for each core, bytes for each byte that is not reserved.
    package var cpuOvercommit: Double
    package var memoryOvercommit: Double

    package init(
        agentID: Identifier128, agentVersion: String, apiAddress: String, peerAddress: String,
        cores: Int, memoryBytes: UInt64, memoryReserveBytes: UInt64, cpuFeatures: [String],
        labels: [String] = [], zone: String = "", rack: String = "", link: String = "",
        linkBytesPerSecond: Double = 1.25e9, cpuOvercommit: Double = 1, memoryOvercommit: Double = 1
    ) {
        self.agentID = agentID
        self.agentVersion = agentVersion
        self.apiAddress = apiAddress
        self.peerAddress = peerAddress
        self.cores = cores
        self.memoryBytes = memoryBytes
        self.memoryReserveBytes = memoryReserveBytes
        self.cpuFeatures = cpuFeatures
        self.labels = labels
        self.zone = zone
        self.rack = rack
        self.link = link
        self.linkBytesPerSecond = linkBytesPerSecond
        self.cpuOvercommit = cpuOvercommit
        self.memoryOvercommit = memoryOvercommit
    }
}

/// Some or all tasks of a host waited for a resource: the shares of the last ten seconds, 0 to 100, as in
/// /proc/pressure ("some avg10"). Nil where the kernel does not say.
package struct HostPressure: Hashable, Sendable, Codable {
    package var cpu: Double?
    package var memory: Double?
    package var io: Double?

    package init(cpu: Double? = nil, memory: Double? = nil, io: Double? = nil) {
        self.cpu = cpu
        self.memory = memory
        self.io = io
    }
}

/// One VM in a heartbeat.
package struct VMReport: Hashable, Sendable, Codable {
    /// What the host's ledger says of it: the cases of the ledger's ownership by name.
    package enum Ownership: String, Hashable, Sendable, Codable, CaseIterable {
        case owned, incoming, released, neverRan, handedOver, deleted
        case takenOver = "ruled"
        case superseded = "overruled"
        case unknown
    }

    package var id: VMID
    package var name: VMName
    package var state: VMState
    package var epoch: UInt64
    package var ownership: Ownership
    /// Of a release, an arrival or a forced takeover: the host at the other end, and the migration.
    package var peer: HostName?
    package var migration: MigrationID?
    /// Cores busy with it since the last heartbeat; nil before anything is measured.
    package var cpuCores: Double?
    /// Of its memory, what is backed by the host's.
    package var memoryUsedBytes: UInt64?
    package var dirtyBytesPerSecond: Double?
    /// It stops by itself when its host's lease ends.
    package var isLeased: Bool
    package var exit: VMExit?
    /// What keeps it busy, as in `VMInfo`.
    package var activity: String?
    package var memoryBytes: UInt64
    package var vcpus: Int

    package init(
        id: VMID, name: VMName, state: VMState, epoch: UInt64, ownership: Ownership,
        peer: HostName? = nil, migration: MigrationID? = nil, cpuCores: Double? = nil,
        memoryUsedBytes: UInt64? = nil, dirtyBytesPerSecond: Double? = nil, isLeased: Bool = false,
        exit: VMExit? = nil, activity: String? = nil, memoryBytes: UInt64, vcpus: Int
    ) {
        self.id = id
        self.name = name
        self.state = state
        self.epoch = epoch
        self.ownership = ownership
        self.peer = peer
        self.migration = migration
        self.cpuCores = cpuCores
        self.memoryUsedBytes = memoryUsedBytes
        self.dirtyBytesPerSecond = dirtyBytesPerSecond
        self.isLeased = isLeased
        self.exit = exit
        self.activity = activity
        self.memoryBytes = memoryBytes
        self.vcpus = vcpus
    }
}

package struct Heartbeat: Hashable, Sendable, Codable {
    /// As registered; the controller asks for a registration when it knows another one or none.
    package var agentID: Identifier128
    /// Grows with each heartbeat of one life.
    package var sequence: UInt64
    /// Of all the host: cores busy since the last heartbeat, memory in use.
    package var cpuCores: Double
    package var memoryUsedBytes: UInt64
    package var pressure: HostPressure
    /// All VMs of the host's inventory and what its ledger cannot settle.
    package var vms: [VMReport]
    /// Migrations away from here that run, and those that ended since the controller last answered.
    package var migrations: [MigrationInfo]

    package init(
        agentID: Identifier128, sequence: UInt64, cpuCores: Double, memoryUsedBytes: UInt64,
        pressure: HostPressure = HostPressure(), vms: [VMReport], migrations: [MigrationInfo] = []
    ) {
        self.agentID = agentID
        self.sequence = sequence
        self.cpuCores = cpuCores
        self.memoryUsedBytes = memoryUsedBytes
        self.pressure = pressure
        self.vms = vms
        self.migrations = migrations
    }
}

package struct HeartbeatAnswer: Hashable, Sendable, Codable {
    /// Of the controller that answers: commands of lower terms are refused from now on.
    package var term: UInt64
    /// When the next heartbeat is wanted.
    package var intervalMs: Int
    /// From the sending of the heartbeat that this answers; 0: no lease is granted (the host was fenced).
    package var leaseMs: Int
    /// The controller does not know this life of the agent: it shall register.
    package var wantsRegistration: Bool

    package init(term: UInt64, intervalMs: Int, leaseMs: Int, wantsRegistration: Bool = false) {
        self.term = term
        self.intervalMs = intervalMs
        self.leaseMs = leaseMs
        self.wantsRegistration = wantsRegistration
    }
}
