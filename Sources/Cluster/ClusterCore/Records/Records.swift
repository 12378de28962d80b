// What the store keeps of a cluster: one record a host, VM, group, operation, token, and one of balance. Everything
// else that a controller knows it learns again from heartbeats.

package import API
package import Model

/// Counts the changes of one record: what clients name when they change only what they have seen.
package typealias Version = UInt64

/// A host.
package struct HostRecord: Hashable, Sendable, Codable {
    /// A host that says nothing any more.
    package struct Silence: Hashable, Sendable, Codable {
        package var sinceMs: Int64
        package var fence: Fence?
    }

    /// How it is known that nothing of a host runs.
    package enum Fence: String, Hashable, Sendable, Codable {
        /// Its leased VMs have stopped by themselves; others may run.
        case lease
        /// An operator said that it is off.
        case `operator`
    }

    package var version: Version = 1
    package var name: HostName
    package var description: HostDescription
    /// What operators want it to be: active, draining or maintenance.
    package var wanted: HostState = .active
    package var silence: Silence?
    /// The longest lease that it may hold.
    package var leaseMs: Int64
    package var operation: OperationID?

    package var state: HostState { silence == nil ? wanted : .unreachable }

    private enum CodingKeys: String, CodingKey {
        case version, name, wanted, silence, leaseMs, operation
        case description = "registration"
    }
}

/// Who has a VM, as far as the store knows. The ledgers of the hosts decide; this follows.
package struct VMPlace: Hashable, Sendable, Codable {
    package var host: HostName
    package var epoch: UInt64
    /// Its process stops it when the host's lease ends.
    package var isLeased: Bool
}

/// A VM that is to be made on a host: told again until the host has answered.
package struct StartOrder: Hashable, Sendable, Codable {
    package var host: HostName
    package var epoch: UInt64
    package var sinceMs: Int64
}

/// A migration that is to happen, happens, or whose outcome is not known yet. Its state is here and nowhere else: the
/// operation that wanted it keeps the plan and the outcomes, and finds the migration under way by this order.
package struct MoveOrder: Hashable, Sendable, Codable {
    package var migration: MigrationID
    package var from: HostName
    package var to: HostName
    package var operation: OperationID?
    package var sinceMs: Int64
    package var predicted: MovePrediction?
    /// The source was asked to stop it.
    package var isCancelled = false
}

/// A host that may still have an old copy of a VM, one that was fenced before the VM started elsewhere.
package struct RetiredCopy: Hashable, Sendable, Codable {
    package var host: HostName
    /// Whatever it has of the VM up to this epoch is to go.
    package var epoch: UInt64
}

/// A forced takeover that was decided: `host` takes back the VM that it released to `against`.
package struct TakeoverRecord: Hashable, Sendable, Codable {
    package var host: HostName
    package var epoch: UInt64
    package var against: HostName
    package var migration: MigrationID
}

package struct MovedFrom: Hashable, Sendable, Codable {
    package var host: HostName
    package var atMs: Int64
}

/// A VM: what its owner wants, and what the cluster has ordered.
package struct ClusterVMRecord: Hashable, Sendable, Codable {
    package var version: Version = 1
    package var id: VMID
    /// `isLeased` follows from the failure policy.
    package var spec: VMSpec
    package var policy: ClusterVMPolicy
    /// As the VM was created, once the policy has been changed: a repeated request is recognised by it.
    package var firstPolicy: ClusterVMPolicy?
    /// Where it starts first, if that host can take it.
    package var startOn: HostName?
    package var isDeleting = false
    package var place: VMPlace?
    /// Decided, and not known to be in the host's ledger.
    package var takeover: TakeoverRecord?
    package var start: StartOrder?
    package var move: MoveOrder?
    /// The largest epoch that any order has named or a host has reported: the next one is larger.
    package var epochMax: UInt64 = 0
    /// It was started anew since: what hosts report of epochs up to this one is an old copy.
    package var epochFloor: UInt64 = 0
    package var retired: [RetiredCopy] = []
    /// Its owner wants it to boot although it ended.
    package var bootWanted = false
    package var restarts = 0
    /// No new attempt to start it before this.
    package var notBeforeMs: Int64?
    /// Why it does not run; nil while it does.
    package var failure: String?
    package var home: HostName?
    package var lastMove: MovedFrom?
    /// The CPU features of the host that it was booted on: what hosts must have that it moves to.
    package var features: [String]?

    package var name: VMName { spec.name }
}

package struct GroupRecord: Hashable, Sendable, Codable {
    package var version: Version = 1
    package var group: GroupSpec
}

package struct BalanceRecord: Hashable, Sendable, Codable {
    package var version: Version = 1
    package var settings: BalanceSettings

    package init(settings: BalanceSettings) { self.settings = settings }
}

package struct TokenRecord: Hashable, Sendable, Codable {
    package var version: Version = 1
    package var name: String
    package var role: TokenRole
    /// SHA-256 of the token, hexadecimal: the token itself is nowhere.
    package var digest: String
    package var createdAtMs: Int64
    package var expiresAtMs: Int64?

    package init(
        name: String, role: TokenRole, digest: String, createdAtMs: Int64, expiresAtMs: Int64?
    ) {
        self.name = name
        self.role = role
        self.digest = digest
        self.createdAtMs = createdAtMs
        self.expiresAtMs = expiresAtMs
    }
}

/// Any record.
package enum ClusterRecord: Hashable, Sendable {
    case host(HostRecord)
    case vm(ClusterVMRecord)
    case group(GroupRecord)
    case operation(OperationRecord)
    case balance(BalanceRecord)
    case token(TokenRecord)
}

/// Which record: its kind and its name.
package enum RecordKey: Hashable, Sendable {
    case host(HostName)
    case vm(VMName)
    case group(String)
    case operation(OperationID)
    case balance
    case token(String)

    package static let prefixes = [
        "hosts/", "vms/", "groups/", "operations/", "settings/", "tokens/",
    ]

    package var storeKey: StoreKey {
        switch self {
        case .host(let name): StoreKey("hosts/\(name)")
        case .vm(let name): StoreKey("vms/\(name)")
        case .group(let name): StoreKey("groups/\(name)")
        case .operation(let id): StoreKey("operations/\(id)")
        case .balance: StoreKey("settings/balance")
        case .token(let name): StoreKey("tokens/\(name)")
        }
    }

    /// Nil when it is no record's.
    package init?(_ key: StoreKey) {
        guard let slash = key.text.firstIndex(of: "/") else { return nil }
        let name = String(key.text[key.text.index(after: slash)...])
        switch key.text[..<slash] {
        case "hosts":
            guard let name = try? HostName(name) else { return nil }
            self = .host(name)
        case "vms":
            guard let name = try? VMName(name) else { return nil }
            self = .vm(name)
        case "groups": self = .group(name)
        case "operations":
            guard let id = OperationID(name) else { return nil }
            self = .operation(id)
        case "settings" where name == "balance": self = .balance
        case "tokens": self = .token(name)
        default: return nil
        }
    }
}
