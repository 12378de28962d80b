// Who a certificate says its holder is: ferry://CLUSTER/ROLE/NAME.

/// What a certificate's holder may do.
public enum Role: String, Hashable, Sendable, Codable, CaseIterable {
    /// A host's agent: serves its API and the peer protocol, and connects to other agents.
    case agent
    /// The cluster's controller: commands agents.
    case controller
    /// A person or a tool: uses the API.
    case `operator`
}

/// The identity in a certificate, as a URI in its subject alternative names.
public struct Identity: Hashable, Sendable {
    public let cluster: ClusterName
    public let role: Role
    public let name: HostName

    public init(cluster: ClusterName, role: Role, name: HostName) {
        self.cluster = cluster
        self.role = role
        self.name = name
    }

    /// The DNS name that stands beside the URI, for clients that check only host names.
    /// It says the same: name, role and cluster. ".internal" is reserved for private use.
    public var dnsName: String { "\(name).\(role.rawValue).\(cluster).ferry.internal" }
}

extension Identity: LosslessStringConvertible {
    public init?(_ description: String) {
        let prefix = "ferry://"
        guard description.hasPrefix(prefix) else { return nil }
        let parts = description.dropFirst(prefix.count)
            .split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, let role = Role(rawValue: String(parts[1])),
            let cluster = try? ClusterName(String(parts[0])),
            let name = try? HostName(String(parts[2]))
        else { return nil }
        self.init(cluster: cluster, role: role, name: name)
    }

    public var description: String { "ferry://\(cluster)/\(role.rawValue)/\(name)" }
}
