// What the scheduler is asked and says: explanations, balance, maintenance.

package import Model

/// Where would a VM go? Either one that exists, by name, or one as described.
package struct ExplainPlacement: Hashable, Sendable, Codable {
    package var vm: VMName?
    package var new: CreateClusterVM?
    /// Nil for the cluster's policy.
    package var policy: String?

    package init(vm: VMName? = nil, new: CreateClusterVM? = nil, policy: String? = nil) {
        self.vm = vm
        self.new = new
        self.policy = policy
    }
}

package struct PlacementAnswer: Hashable, Sendable, Codable {
    package struct Term: Hashable, Sendable, Codable {
        package var name: String
        package var value: Double

        package init(name: String, value: Double) {
            self.name = name
            self.value = value
        }
    }

    package struct Verdict: Hashable, Sendable, Codable {
        package var host: HostName
        /// The filter that refused it, and in words with figures why; nil when it passed them all.
        package var filter: String?
        package var refusal: String?
        /// The score's parts; nil when it was refused, or the policy's lots did not fall on it.
        package var terms: [Term]?
        package var score: Double?

        package init(
            host: HostName, filter: String? = nil, refusal: String? = nil, terms: [Term]? = nil,
            score: Double? = nil
        ) {
            self.host = host
            self.filter = filter
            self.refusal = refusal
            self.terms = terms
            self.score = score
        }
    }

    package var vm: VMName
    package var policy: String
    package var chosen: HostName?
    /// One for each host, by name.
    package var verdicts: [Verdict]

    package init(vm: VMName, policy: String, chosen: HostName?, verdicts: [Verdict]) {
        self.vm = vm
        self.policy = policy
        self.chosen = chosen
        self.verdicts = verdicts
    }
}

/// Changes of the balancer's settings; what is left out stays.
package struct UpdateBalance: Hashable, Sendable, Codable {
    package var mode: BalanceMode?
    package var intervalSeconds: Double?
    package var startAbove: Double?
    package var settleAt: Double?
    package var coolDownSeconds: Double?
    package var returnBarSeconds: Double?
    package var horizonSeconds: Double?
    package var movesMax: Int?
    package var perHost: Int?
    package var perLink: Int?
    package var perCluster: Int?

    package init() {}
}

package struct BalanceInfo: Hashable, Sendable, Codable {
    package var settings: BalanceSettings
    package var revision: UInt64
    package var imbalance: Double
    /// The last plan that the balancer made by itself, and when.
    package var lastPlan: PlanInfo?
    package var lastPlanAtMs: Int64?
    package var operation: OperationID?

    package init(
        settings: BalanceSettings, revision: UInt64, imbalance: Double, lastPlan: PlanInfo? = nil,
        lastPlanAtMs: Int64? = nil, operation: OperationID? = nil
    ) {
        self.settings = settings
        self.revision = revision
        self.imbalance = imbalance
        self.lastPlan = lastPlan
        self.lastPlanAtMs = lastPlanAtMs
        self.operation = operation
    }
}

/// Groups of hosts that can be emptied one group after the other.
package struct PlanMaintenance: Hashable, Sendable, Codable {
    /// Nil for all active hosts.
    package var hosts: [HostName]?
    /// Hosts in one group at most; nil for as many as fit.
    package var groupMax: Int?

    package init(hosts: [HostName]? = nil, groupMax: Int? = nil) {
        self.hosts = hosts
        self.groupMax = groupMax
    }
}

package struct MaintenancePlanInfo: Hashable, Sendable, Codable {
    package struct Group: Hashable, Sendable, Codable {
        package var hosts: [HostName]
        package var drain: PlanInfo

        package init(hosts: [HostName], drain: PlanInfo) {
            self.hosts = hosts
            self.drain = drain
        }
    }

    package var groups: [Group]
    /// Hosts that cannot be emptied even alone.
    package var impossible: [Group]

    package init(groups: [Group], impossible: [Group]) {
        self.groups = groups
        self.impossible = impossible
    }
}
