// The descriptions of plans and operations.

package import Model

extension Estimate: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "An estimate with its interval.",
        fields: [
            "low": "The lower bound.", "expected": "The expected value.",
            "high": "The upper bound.",
        ])
}

extension MovePrediction: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "What a migration is expected to take.",
        fields: [
            "seconds": "The duration.",
            "downtimeMs": "The downtime in milliseconds.",
            "bytes": "Bytes sent.",
            "isThrottled": "The vCPUs are expected to be throttled.",
            "keepsDowntimeLimit": "The downtime is expected to be within the limit of the VM.",
        ])
}

extension MoveInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "One migration of a plan, and its result.",
        fields: [
            "vm": "The name of the VM.",
            "vmID": "The identifier of the VM.",
            "from": "The source.",
            "to": "The destination.",
            "plannedFor": "The purpose of the migration.",
            "why": "The reason in one sentence.",
            "wave": .unsignedInteger(
                description: "The wave. Migrations of one wave run concurrently."),
            "predicted": "What the migration is expected to take.",
            "state": "The state of the migration.",
            "attempts": .unsignedInteger(description: "The number of attempts."),
            "migration": "The last attempt.",
            "reason": "Why the last attempt failed.",
            "actualSeconds": .nonNegativeNumber(description: "The actual duration."),
            "actualDowntimeMs": .nonNegativeNumber(
                description: "The actual downtime in milliseconds."),
            "actualBytes": "Bytes that were sent.",
        ])
}

extension LeftBehind: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A VM that a plan does not migrate.",
        fields: ["vm": "The name of the VM.", "why": "The reason."])
}

extension PlanInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A plan of migrations.",
        fields: [
            "moves": .uniformList(description: "The migrations in order.", element: "A migration."),
            "left": .uniformList(description: "VMs that are not migrated.", element: "A VM."),
            "waves": .unsignedInteger(
                description: "The number of waves, which run one after the other."),
            "seconds": "The duration of all waves.",
            "imbalanceBefore": .nonNegativeNumber(
                description: "For balance: the imbalance before the plan."),
            "imbalanceAfter": .nonNegativeNumber(
                description: "For balance: the imbalance after all migrations."),
            "outcome": "Why the plan has no further migrations.",
        ])
}

extension OperationInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A long-running operation of the cluster.",
        fields: [
            "id": "The identifier of the operation.",
            "revision": "The revision of the record.",
            "kind": "The kind of operation.",
            "state": "The state of the operation.",
            "host": "The host that the operation is about.",
            "startedAtMs": .timestamp(description: "The time of the start"),
            "endedAtMs": .timestamp(description: "The time of the end"),
            "startedBy": "The caller that started the operation.",
            "plan": "The plan.",
            "movesDone": .unsignedInteger(description: "The number of migrations that have ended."),
            "detail": "What the operation left undone.",
        ])
}

extension MigrateVM: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "Where to migrate a VM.", isStrict: true,
        fields: ["to": "The destination. Default: the best host."])
}
