// A VM as the cluster keeps it: what its owner wants, and what is known of it.

package import Model

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

/// A VM to be kept by the cluster. `spec.isLeased` follows from the failure policy; what a request says of it is not
/// used.
package struct CreateClusterVM: Hashable, Sendable, Codable {
    package var spec: VMSpec
    package var policy: ClusterVMPolicy
    /// Where it starts, if that host can take it; it may be moved later.
    package var startOn: HostName?
    /// Chosen by the client, so that a request that is sent twice makes one VM. Nil: the controller chooses.
    package var id: VMID?

    package init(_ spec: VMSpec, policy: ClusterVMPolicy = ClusterVMPolicy()) {
        self.spec = spec
        self.policy = policy
    }

    /// `spec` and `policy` may be absent: their fields then stand flat, as in the version before.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        spec = try VMSpec(nestedIn: decoder, forKey: CodingKeys.spec)
        policy = try ClusterVMPolicy(nestedIn: decoder, forKey: CodingKeys.policy)
        startOn = try fields.decodeIfPresent(HostName.self, forKey: .startOn)
        id = try fields.decodeIfPresent(VMID.self, forKey: .id)
    }
}

extension ClusterVMPolicy {
    /// The policy under `key`; where there is none, the one whose fields stand flat beside it.
    fileprivate init<Key: CodingKey>(nestedIn decoder: any Decoder, forKey key: Key) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        self =
            try fields.decodeIfPresent(ClusterVMPolicy.self, forKey: key)
            ?? ClusterVMPolicy(from: decoder)
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
    package var revision: UInt64
    package var spec: VMSpec
    package var policy: ClusterVMPolicy
    package var state: ClusterVMState
    /// Why it is in this state, where that needs saying.
    package var reason: String?
    package var host: HostName?
    /// While it is moved.
    package var destination: HostName?
    package var migration: MigrationID?
    package var epoch: UInt64
    /// Times that it was started again since it last ran for long.
    package var restarts: Int
    /// Where a drain took it from.
    package var home: HostName?
    package var cpuCores: Double?
    package var memoryUsedBytes: UInt64?
    package var dirtyBytesPerSecond: Double?

    package var name: VMName { spec.name }

    package init(
        id: VMID, revision: UInt64, spec: VMSpec, policy: ClusterVMPolicy = ClusterVMPolicy(),
        state: ClusterVMState, epoch: UInt64
    ) {
        self.id = id
        self.revision = revision
        self.spec = spec
        self.policy = policy
        self.state = state
        self.epoch = epoch
        restarts = 0
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
