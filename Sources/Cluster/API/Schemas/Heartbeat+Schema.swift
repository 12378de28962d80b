// The descriptions of what agents report.

import Model

extension VMExit: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "Why a VM ended.",
        fields: ["reason": "The kind of end.", "detail": "One sentence."])
}

extension VMReport: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A VM as its host reports it.",
        fields: [
            "id": "The identifier of the VM.",
            "name": "The name of the VM.",
            "state": "The state of the VM on the host.",
            "epoch": "The epoch in the host's ledger.",
            "ownership": "The ownership in the host's ledger.",
            "peer": "The other host of a release, an arrival or a forced takeover.",
            "migration": "The migration of a release, an arrival or a forced takeover.",
            "cpuCores": .boundedNumber(description: "Busy cores.", range: .cores),
            "memoryUsedBytes": .boundedInteger(
                description: "Memory that the host backs.", range: .hostMemory),
            "dirtyBytesPerSecond": .boundedNumber(description: "The dirty rate.", range: 0...1e12),
            "isLeased": "The VM stops when the lease of its host expires.",
            "exit": "Why the VM ended.",
            "activity": .boundedText(
                description: "The operation that keeps the VM busy.", lengths: 0...1000),
            "memoryBytes": .boundedInteger(
                description: "The memory of the VM.", range: .hostMemory),
            "vcpus": .boundedInteger(description: "The number of vCPUs.", range: 1...1024),
        ])
}

extension Heartbeat: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "What an agent reports every few seconds.",
        fields: [
            "agentID": "The identifier that the agent registered with.",
            "sequence": "Increases with each heartbeat of one agent process.",
            "cpuCores": .boundedNumber(description: "Busy cores.", range: .cores),
            "memoryUsedBytes": .boundedInteger(description: "Memory in use.", range: .hostMemory),
            "pressure": "Resource pressure.",
            "vms": .uniformList(
                description: "All VMs of the host.", element: "A VM.", itemsMax: 5000),
            "migrations": .uniformList(
                description:
                    "Migrations from this host that run, and those that ended since the last answer.",
                element: "A migration."),
        ])
}

extension HeartbeatAnswer: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The controller's answer to an agent.",
        fields: [
            "term": "The term of the controller. The agent refuses commands of lower terms.",
            "intervalMs": .unsignedInteger(description: "Milliseconds until the next heartbeat."),
            "leaseMs": .unsignedInteger(
                description:
                    "The lease in milliseconds, counted from the sending of the heartbeat. 0: no lease."
            ),
            "wantsRegistration": "The agent must register again.",
        ])
}
