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
            "cpuCores": .number("Busy cores.", in: .cores),
            "memoryUsedBytes": .integer("Memory that the host backs.", in: .hostMemory),
            "dirtyBytesPerSecond": .number("The dirty rate.", in: 0...1e12),
            "isLeased": "The VM stops when the lease of its host expires.",
            "exit": "Why the VM ended.",
            "activity": .text("The operation that keeps the VM busy.", lengths: 0...1000),
            "memoryBytes": .integer("The memory of the VM.", in: .hostMemory),
            "vcpus": .integer("The number of vCPUs.", in: 1...1024),
        ])
}

extension Heartbeat: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "What an agent reports every few seconds.",
        fields: [
            "agentID": "The identifier that the agent registered with.",
            "sequence": "Increases with each heartbeat of one agent process.",
            "cpuCores": .number("Busy cores.", in: .cores),
            "memoryUsedBytes": .integer("Memory in use.", in: .hostMemory),
            "pressure": "Resource pressure.",
            "vms": .list("All VMs of the host.", of: "A VM.", itemsMax: 5000),
            "migrations": .list(
                "Migrations from this host that run, and those that ended since the last answer.",
                of: "A migration."),
        ])
}

extension HeartbeatAnswer: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The controller's answer to an agent.",
        fields: [
            "term": "The term of the controller. The agent refuses commands of lower terms.",
            "intervalMs": .count("Milliseconds until the next heartbeat."),
            "leaseMs": .count(
                "The lease in milliseconds, counted from the sending of the heartbeat. 0: no lease."
            ),
            "wantsRegistration": "The agent must register again.",
        ])
}
