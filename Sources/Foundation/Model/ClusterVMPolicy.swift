// What only the cluster knows about a VM, beside its spec: where it may run, what it needs and what its owner wants.

/// What becomes of a VM whose guest or host dies.
package enum FailurePolicy: String, Hashable, Sendable, Codable, CaseIterable {
    /// It stays as it is, until an operator acts.
    case leave
    /// It boots again: on its host when that answers, elsewhere once its host is fenced. Such a VM is leased: it stops
    /// by itself when its host cannot reach the controller in time.
    case restart
}

package enum DesiredState: String, Hashable, Sendable, Codable, CaseIterable {
    case running, stopped
}

/// What a cluster keeps about a VM beside its spec. Requests, views and records nest it whole.
package struct ClusterVMPolicy: Hashable, Sendable, Codable {
    package var desired = DesiredState.running
    package var failurePolicy = FailurePolicy.leave
    /// Larger is more important.
    package var priority = 0
    /// Balance may move it.
    package var mayBeBalanced = true
    /// Labels that its host must have.
    package var labels: [String] = []
    /// Groups that it belongs to. Those that do not exist are made; those that do must be as described.
    package var groups: [GroupSpec] = []
    /// The only host that it may ever run on.
    package var pinnedHost: HostName?

    package init() {}

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        desired = try fields.decodeIfPresent(DesiredState.self, forKey: .desired) ?? desired
        failurePolicy =
            try fields.decodeIfPresent(FailurePolicy.self, forKey: .failurePolicy) ?? failurePolicy
        priority = try fields.decodeIfPresent(Int.self, forKey: .priority) ?? priority
        mayBeBalanced =
            try fields.decodeIfPresent(Bool.self, forKey: .mayBeBalanced) ?? mayBeBalanced
        labels = try fields.decodeIfPresent([String].self, forKey: .labels) ?? labels
        groups = try fields.decodeIfPresent([GroupSpec].self, forKey: .groups) ?? groups
        pinnedHost = try fields.decodeIfPresent(HostName.self, forKey: .pinnedHost)
    }
}
