// A host as the cluster sees it, and the cluster as a whole.

package import Model

package struct ClusterHost: Hashable, Sendable, Codable {
    package var name: HostName
    package var revision: UInt64
    package var state: HostState
    /// What it will be again when it answers, or is once its drain has ended: what operators asked for.
    package var wanted: HostState
    /// Why it is in this state, where that needs saying.
    package var reason: String?
    /// It is known that nothing runs there: by its lease or by an operator's word.
    package var isFenced: Bool
    /// Nil: it has not been heard of since this controller began to lead.
    package var heardOfMsAgo: Int64?
    /// The drain under way, or the last one.
    package var operation: Identifier128?
    package var registration: HostRegistration
    package var cpuCores: Double
    package var memoryUsedBytes: UInt64
    package var pressure: HostPressure
    /// Promised to VMs, those on their way here among them.
    package var vcpusPromised: Double
    package var memoryPromisedBytes: UInt64
    package var vcpusLimit: Double
    package var memoryLimitBytes: UInt64
    package var vms: Int
    /// VMs there that the cluster does not keep: made by a direct word to the agent.
    package var unmanagedVMs: [VMName]

    package init(
        name: HostName, revision: UInt64, state: HostState, wanted: HostState,
        reason: String? = nil, isFenced: Bool, heardOfMsAgo: Int64?,
        operation: Identifier128? = nil,
        registration: HostRegistration, cpuCores: Double, memoryUsedBytes: UInt64,
        pressure: HostPressure, vcpusPromised: Double, memoryPromisedBytes: UInt64,
        vcpusLimit: Double, memoryLimitBytes: UInt64, vms: Int, unmanagedVMs: [VMName] = []
    ) {
        self.name = name
        self.revision = revision
        self.state = state
        self.wanted = wanted
        self.reason = reason
        self.isFenced = isFenced
        self.heardOfMsAgo = heardOfMsAgo
        self.operation = operation
        self.registration = registration
        self.cpuCores = cpuCores
        self.memoryUsedBytes = memoryUsedBytes
        self.pressure = pressure
        self.vcpusPromised = vcpusPromised
        self.memoryPromisedBytes = memoryPromisedBytes
        self.vcpusLimit = vcpusLimit
        self.memoryLimitBytes = memoryLimitBytes
        self.vms = vms
        self.unmanagedVMs = unmanagedVMs
    }
}

package struct ClusterInfo: Hashable, Sendable, Codable {
    package var cluster: ClusterName
    /// Who answers, and who leads.
    package var controller: HostName
    package var leader: HostName?
    package var term: UInt64
    package var version: String
    package var policy: String
    package var hosts: [String: Int]
    package var vms: [String: Int]
    package var migrations: Int
    package var imbalance: Double

    package init(
        cluster: ClusterName, controller: HostName, leader: HostName?, term: UInt64,
        version: String, policy: String, hosts: [String: Int], vms: [String: Int], migrations: Int,
        imbalance: Double
    ) {
        self.cluster = cluster
        self.controller = controller
        self.leader = leader
        self.term = term
        self.version = version
        self.policy = policy
        self.hosts = hosts
        self.vms = vms
        self.migrations = migrations
        self.imbalance = imbalance
    }
}

/// An operator's word that a host is off: nothing runs there. The name once more, so that it is not a slip.
package struct FenceHost: Hashable, Sendable, Codable {
    package var confirm: HostName
    package init(confirm: HostName) { self.confirm = confirm }
}

package struct DrainHost: Hashable, Sendable, Codable {
    /// Moves at once: nil for the cluster's limits.
    package var parallel: Int?
    package init(parallel: Int? = nil) { self.parallel = parallel }
}

package struct ActivateHost: Hashable, Sendable, Codable {
    /// Move back what a drain took from it. Nil for false.
    package var bringBack: Bool?
    package init(bringBack: Bool? = nil) { self.bringBack = bringBack }
}

/// A person's or a tool's way in without a certificate.
package enum TokenRole: String, Hashable, Sendable, Codable, CaseIterable {
    /// Looks at everything but tokens.
    case viewer
    /// And commands VMs, hosts, operations.
    case `operator`
    /// And makes and ends tokens, and says that hosts are off.
    case admin
}

package struct CreateToken: Hashable, Sendable, Codable {
    package var name: String
    package var role: TokenRole
    /// Nil: it does not end by itself.
    package var validForSeconds: Int?

    package init(name: String, role: TokenRole, validForSeconds: Int? = nil) {
        self.name = name
        self.role = role
        self.validForSeconds = validForSeconds
    }
}

package struct TokenInfo: Hashable, Sendable, Codable {
    package var name: String
    package var role: TokenRole
    package var createdAtMs: Int64
    package var expiresAtMs: Int64?
    /// Only in the answer that makes it: it is not stored, and cannot be shown again.
    package var token: String?

    package init(
        name: String, role: TokenRole, createdAtMs: Int64, expiresAtMs: Int64? = nil,
        token: String? = nil
    ) {
        self.name = name
        self.role = role
        self.createdAtMs = createdAtMs
        self.expiresAtMs = expiresAtMs
        self.token = token
    }
}

/// The answer to the activation of a host.
package enum ActivatedHost: Hashable, Sendable {
    case host(ClusterHost)
    /// VMs are being migrated back.
    case bringingBack(OperationInfo)
}

extension ActivatedHost: Codable {
    private enum OperationKeys: CodingKey {
        case plan
    }

    package init(from decoder: any Decoder) throws {
        self =
            try decoder.container(keyedBy: OperationKeys.self).contains(.plan)
            ? .bringingBack(OperationInfo(from: decoder)) : .host(ClusterHost(from: decoder))
    }

    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .host(let host): try host.encode(to: encoder)
        case .bringingBack(let operation): try operation.encode(to: encoder)
        }
    }
}
