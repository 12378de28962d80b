// A VM as the cluster keeps it: what its owner wants, and what is known of it.

package import Model

/// What becomes of a VM whose guest or host dies.
package enum FailurePolicy: String, Hashable, Sendable, Codable, CaseIterable {
    /// It stays as it is, until somebody looks.
    case leave
    /// It boots again: on its host when that answers, elsewhere once its host is fenced. Such a VM is leased: it stops
    /// by itself when its host cannot reach the controller in time.
    case restart
}

package enum DesiredState: String, Hashable, Sendable, Codable, CaseIterable {
    case running, stopped
}

/// What the cluster knows of a VM.
///
///   pending ──▶ starting ──▶ running ◀──▶ migrating
///      ▲            │            │
///      │            ▼            ▼
///      └──────── failed ◀──── unknown        stopping ──▶ stopped        deleting ──▶ (gone)
package enum ClusterVMState: String, Hashable, Sendable, Codable, CaseIterable {
    /// No host has been found for it yet; `reason` says why.
    case pending
    /// A host was told to start it.
    case starting
    case running
    /// It stands still on its host because somebody paused it there.
    case paused
    case migrating
    case stopping
    case stopped
    /// It ended in an error, or could not be started; `reason` says more.
    case failed
    /// Its host is unreachable.
    case unknown
    case deleting
}

/// A group of VMs that seek or shun each other.
package struct GroupSpec: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case affinity
        case antiAffinity = "anti-affinity"
    }
    package enum Scope: String, Hashable, Sendable, Codable, CaseIterable {
        case host, rack, zone
    }

    package var name: String
    package var kind: Kind
    /// Nil for host.
    package var scope: Scope?
    /// Soft: a term of the score, with this weight. Nil: hard, never broken.
    package var softWeight: Double?
    /// Of anti-affinity: members that one host, rack or zone may have. Nil for 1.
    package var perDomainMax: Int?

    package init(
        name: String, kind: Kind, scope: Scope? = nil, softWeight: Double? = nil,
        perDomainMax: Int? = nil
    ) {
        self.name = name
        self.kind = kind
        self.scope = scope
        self.softWeight = softWeight
        self.perDomainMax = perDomainMax
    }
}

package struct GroupInfo: Hashable, Sendable, Codable {
    package var group: GroupSpec
    package var members: [VMName]
    package var revision: UInt64

    package init(group: GroupSpec, members: [VMName], revision: UInt64) {
        self.group = group
        self.members = members
        self.revision = revision
    }
}

/// A VM to be kept by the cluster. What is left out gets the default.
package struct CreateClusterVM: Hashable, Sendable, Codable {
    package var name: VMName
    package var memoryBytes: UInt64
    package var vcpus: Int?
    package var hugePages: Bool?
    package var downtimeLimitMs: Double?
    package var commandLine: String?
    /// Absolute paths, the same on every host that may run it. No kernel: the one that comes with Ferry (pulse).
    package var kernelPath: String?
    package var initrdPath: String?
    /// Labels that its host must have.
    package var labels: [String]?
    /// Groups that it belongs to; those that do not exist are made, those that do must be as described.
    package var groups: [GroupSpec]?
    /// The only host that it may ever run on.
    package var pinnedHost: HostName?
    /// Where it starts, if that host can take it; it may be moved later.
    package var startOn: HostName?
    /// Larger is more important. Nil for 0.
    package var priority: Int?
    /// Whether balance may move it. Nil for true.
    package var mayBeBalanced: Bool?
    /// Nil for `leave`.
    package var failurePolicy: FailurePolicy?
    /// Nil for running.
    package var desired: DesiredState?
    /// Chosen by the client, so that a request that is sent twice makes one VM. Nil: the controller chooses.
    package var id: VMID?

    package init(name: VMName, memoryBytes: UInt64) {
        self.name = name
        self.memoryBytes = memoryBytes
    }
}

/// Changes of a VM; what is left out stays.
package struct UpdateClusterVM: Hashable, Sendable, Codable {
    package var desired: DesiredState?
    package var labels: [String]?
    package var priority: Int?
    package var mayBeBalanced: Bool?
    package var failurePolicy: FailurePolicy?
    /// The revision that the change is made from; when the VM has another by now, nothing changes (412). Nil: whatever
    /// it is.
    package var revision: UInt64?

    package init(revision: UInt64? = nil) { self.revision = revision }
}

package struct ClusterVM: Hashable, Sendable, Codable {
    package var id: VMID
    package var name: VMName
    package var revision: UInt64
    package var state: ClusterVMState
    /// Why it is in this state, where that needs saying.
    package var reason: String?
    package var desired: DesiredState
    package var host: HostName?
    /// While it is moved.
    package var destination: HostName?
    package var migration: MigrationID?
    package var epoch: UInt64
    package var memoryBytes: UInt64
    package var vcpus: Int
    package var hugePages: Bool
    package var downtimeLimitMs: Double
    package var commandLine: String?
    package var kernelPath: String?
    package var initrdPath: String?
    package var labels: [String]
    package var groups: [String]
    package var pinnedHost: HostName?
    package var priority: Int
    package var mayBeBalanced: Bool
    package var failurePolicy: FailurePolicy
    /// Times that it was started again since it last ran for long.
    package var restarts: Int
    /// Where a drain took it from.
    package var home: HostName?
    package var cpuCores: Double?
    package var memoryUsedBytes: UInt64?
    package var dirtyBytesPerSecond: Double?

    package init(
        id: VMID, name: VMName, revision: UInt64, state: ClusterVMState, reason: String? = nil,
        desired: DesiredState, host: HostName? = nil, destination: HostName? = nil,
        migration: MigrationID? = nil, epoch: UInt64, memoryBytes: UInt64, vcpus: Int,
        hugePages: Bool, downtimeLimitMs: Double, commandLine: String? = nil,
        kernelPath: String? = nil, initrdPath: String? = nil, labels: [String] = [],
        groups: [String] = [], pinnedHost: HostName? = nil, priority: Int = 0,
        mayBeBalanced: Bool = true, failurePolicy: FailurePolicy = .leave, restarts: Int = 0,
        home: HostName? = nil, cpuCores: Double? = nil, memoryUsedBytes: UInt64? = nil,
        dirtyBytesPerSecond: Double? = nil
    ) {
        self.id = id
        self.name = name
        self.revision = revision
        self.state = state
        self.reason = reason
        self.desired = desired
        self.host = host
        self.destination = destination
        self.migration = migration
        self.epoch = epoch
        self.memoryBytes = memoryBytes
        self.vcpus = vcpus
        self.hugePages = hugePages
        self.downtimeLimitMs = downtimeLimitMs
        self.commandLine = commandLine
        self.kernelPath = kernelPath
        self.initrdPath = initrdPath
        self.labels = labels
        self.groups = groups
        self.pinnedHost = pinnedHost
        self.priority = priority
        self.mayBeBalanced = mayBeBalanced
        self.failurePolicy = failurePolicy
        self.restarts = restarts
        self.home = home
        self.cpuCores = cpuCores
        self.memoryUsedBytes = memoryUsedBytes
        self.dirtyBytesPerSecond = dirtyBytesPerSecond
    }
}

/// One page of a list, and how to ask for the next: `?after=` with this value. Nil: there is no more.
package struct Page<Item: Hashable & Sendable & Codable>: Hashable, Sendable, Codable {
    package var items: [Item]
    package var next: String?

    package init(items: [Item], next: String? = nil) {
        self.items = items
        self.next = next
    }
}
