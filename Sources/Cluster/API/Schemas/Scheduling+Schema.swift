// The descriptions of placement, balance and maintenance.

package import Model

extension ExplainPlacement: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "An existing VM, or the description of a new one. Exactly one of them is required.",
        isStrict: true,
        fields: [
            "vm": "The name of an existing VM.",
            "new": "A new VM.",
            "policy":
                "The placement policy: first-fit, best-fit, worst-fit, dot-product, two-choices, least-loaded, fewest-vms, or a policy that was added to this controller. Default: the policy of the cluster.",
        ],
        examples: [
            [
                "new": ["spec": ["name": "db-1", "memoryBytes": 2_147_483_648]],
                "policy": "best-fit",
            ]
        ])
}

extension PlacementAnswer.Term: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A term of a score.", name: "PlacementTerm",
        fields: ["name": "The name of the term.", "value": "The value of the term."])
}

extension PlacementAnswer.Verdict: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The scheduler's decision about one host.", name: "PlacementVerdict",
        fields: [
            "host": "The name of the host.",
            "filter": "The filter that rejected the host.",
            "refusal": "Why the filter rejected the host, with figures.",
            "terms": .uniformList(description: "The terms of the score.", element: "A term."),
            "score": "The sum of the terms.",
        ])
}

extension PlacementAnswer: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "Where a VM would be placed.",
        fields: [
            "vm": "The name of the VM.",
            "policy": "The placement policy.",
            "chosen": "The chosen host. Omitted if no host can take the VM.",
            "verdicts": .uniformList(
                description: "One decision for each host, by name.", element: "A decision."),
        ])
}

/// The settings of the balancer: the same in `BalanceSettings` and `UpdateBalance`.
private let balanceFields: [String: FieldDescription] = [
    "mode": "off: no plans. advise: plans only. auto: plans and migrations.",
    "intervalSeconds": .boundedNumber(
        description: "The interval between two plans.", range: .setting),
    "startAbove": .boundedNumber(
        description: "The imbalance above which balancing starts.", range: .setting),
    "settleAt": .boundedNumber(
        description: "The imbalance at which balancing ends.", range: .setting),
    "coolDownSeconds": .boundedNumber(
        description: "The time before a VM may be migrated again.", range: .setting),
    "returnBarSeconds": .boundedNumber(
        description: "The time before a VM may return to a host that it left.", range: .setting),
    "horizonSeconds": .boundedNumber(
        description:
            "How long the measured load is assumed to last: the benefit of a migration is counted over this time.",
        range: .setting),
    "movesMax": .boundedInteger(
        description: "The maximum number of migrations in one run.", range: 0...1_000_000),
    "perHost": .boundedInteger(
        description: "Concurrent migrations per host.", range: 0...1_000_000),
    "perLink": .boundedInteger(
        description: "Concurrent migrations per link.", range: 0...1_000_000),
    "perCluster": .boundedInteger(
        description: "Concurrent migrations in the cluster.", range: 0...1_000_000),
]

extension BalanceSettings: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The settings of the balancer.", fields: balanceFields)
}

extension UpdateBalance: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "Changes of the balancer's settings. Omitted settings keep their values.",
        isStrict: true, fields: balanceFields, examples: [["mode": "auto", "startAbove": 0.1]])
}

extension BalanceInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The balancer.",
        fields: [
            "settings": "The settings.",
            "revision": "The revision of the record.",
            "imbalance": .nonNegativeNumber(
                description: "How unevenly the hosts are loaded; 0 is balanced."),
            "lastPlan": "The last plan that the balancer made by itself.",
            "lastPlanAtMs": .timestamp(description: "The time of that plan"),
            "operation": "The running operation.",
        ])
}

extension PlanMaintenance: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The hosts that are to be drained group by group.", isStrict: true,
        fields: [
            "hosts": .uniformList(
                description: "The hosts. Default: all active hosts.",
                element: "The name of a host.",
                itemsMax: 10_000),
            "groupMax": .boundedInteger(
                description:
                    "The maximum number of hosts in a group. Default: as many as possible.",
                range: 1...10_000),
        ])
}

extension MaintenancePlanInfo.Group: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "Hosts that can be drained together.", name: "MaintenanceGroup",
        fields: [
            "hosts": .uniformList(
                description: "The hosts by name.", element: "The name of a host."),
            "drain": "The plan of the drain.",
        ])
}

extension MaintenancePlanInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "Groups of hosts for maintenance.",
        fields: [
            "groups": .uniformList(
                description: "The groups, which are drained one after the other.",
                element: "A group."),
            "impossible": .uniformList(
                description: "Hosts that cannot be drained even alone.",
                element: "A group of one host."),
        ])
}
