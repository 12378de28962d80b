// The states of a host as its cluster sees them.

/// Whether a host takes part in the cluster.
///
///   active ──▶ draining ──▶ maintenance
///     ▲ │          │             │
///     │ └──────────┴─────────────┴──▶ unreachable
///     └── each of them by an operator's word, or when it answers again
public enum HostState: String, Hashable, Sendable, Codable, CaseIterable {
    /// Runs VMs and takes more.
    case active
    /// Its VMs leave; it takes no others.
    case draining
    /// Empty, or as empty as it got; it takes no VMs.
    case maintenance
    /// Silent: what its VMs do is not known.
    case unreachable
}
