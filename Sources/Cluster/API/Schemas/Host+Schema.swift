// The descriptions of hosts and of the cluster.

extension HostPressure: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The share of the last ten seconds in which tasks of the host waited for a resource. Values that the kernel does not report are omitted.",
        fields: [
            "cpu": .boundedNumber(description: "For a CPU, in percent.", range: .percent),
            "memory": .boundedNumber(description: "For memory, in percent.", range: .percent),
            "io": .boundedNumber(description: "For disks, in percent.", range: .percent),
        ])
}

extension HostRegistration: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A host as its agent registers it.",
        fields: [
            "agentID": "A random identifier of this agent process.",
            "agentVersion": .boundedText(
                description: "The version of the agent.", lengths: .shortText),
            "apiAddress": .boundedText(
                description: "IP:PORT of the agent's API.", lengths: .shortText),
            "peerAddress": .boundedText(
                description: "IP:PORT where the agent accepts migrations.", lengths: .shortText),
            "cores": .boundedInteger(description: "The number of CPU cores.", range: 1...4096),
            "memoryBytes": .boundedInteger(
                description: "The memory of the host.", range: .hostMemory),
            "memoryReserveBytes": .boundedInteger(
                description: "Memory that is not available to VMs.", range: .hostMemory),
            "cpuFeatures": .uniformList(
                description: "The CPU features that guests can use.",
                element: "The name of a feature.",
                itemsMax: 2000, lengths: .shortText),
            "labels": .uniformList(
                description: "Labels that VMs can require.", element: "key=value or a word.",
                itemsMax: 64,
                lengths: .shortText),
            "zone": .boundedText(
                description: "The zone, a failure domain. Empty: the host is a zone of its own.",
                lengths: .shortText),
            "rack": .boundedText(
                description: "The rack, a failure domain. Empty: the host is a rack of its own.",
                lengths: .shortText),
            "link": .boundedText(
                description:
                    "The network link for migrations that the host shares with others. Empty: the host has its own link.",
                lengths: .shortText),
            "linkBytesPerSecond": .boundedNumber(
                description: "The capacity of the link.", range: 1...1e12),
            "cpuOvercommit": .boundedNumber(
                description: "vCPUs that may be reserved per core.", range: 0.1...100),
            "memoryOvercommit": .boundedNumber(
                description: "Bytes that may be reserved per byte that is available to VMs.",
                range: 0.1...100),
        ])
}

extension ClusterHost: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A host as the cluster knows it.",
        fields: [
            "name": "The name of the host.",
            "revision": .boundedInteger(description: "The revision of the record.", atLeast: 1),
            "state": "The state of the host.",
            "wanted":
                "The state that operators asked for. The host returns to it when its agent answers.",
            "reason": "Why the host is in this state.",
            "isFenced": "It is certain that no VM runs on the host.",
            "heardOfMsAgo":
                "Milliseconds since the last heartbeat. Omitted until this controller has received one.",
            "operation": "The running drain, or the last one.",
            "registration": "What the agent registered.",
            "cpuCores": .nonNegativeNumber(description: "Busy cores."),
            "memoryUsedBytes": "Memory in use.",
            "pressure": "Resource pressure.",
            "vcpusPromised": .nonNegativeNumber(
                description:
                    "vCPUs reserved for VMs, including those that are being migrated to the host."),
            "memoryPromisedBytes":
                "Memory reserved for VMs, including those that are being migrated to the host.",
            "vcpusLimit": .nonNegativeNumber(description: "vCPUs that may be reserved."),
            "memoryLimitBytes": "Memory that may be reserved.",
            "vms": .unsignedInteger(description: "The number of VMs on the host."),
            "unmanagedVMs": .uniformList(
                description: "VMs on the host that the cluster does not manage.",
                element: "The name of a VM."),
        ])
}

extension ClusterInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The cluster as a whole.",
        fields: [
            "cluster": "The name of the cluster.",
            "controller": "The controller that answers.",
            "leader": "The controller that leads.",
            "term": "The term of the leader.",
            "version": "The version of this controller.",
            "policy": "The placement policy.",
            "hosts": .countsByName(
                description: "The number of hosts by state.", element: "The number of hosts."),
            "vms": .countsByName(
                description: "The number of VMs by state.", element: "The number of VMs."),
            "migrations": .unsignedInteger(description: "The number of running migrations."),
            "imbalance": .nonNegativeNumber(
                description: "How unevenly the hosts are loaded; 0 is balanced."),
        ])
}

extension FenceHost: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The declaration that a host is powered off.", isStrict: true,
        fields: ["confirm": "The name of the host, as confirmation."])
}

extension DrainHost: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "How to drain a host.", isStrict: true,
        fields: [
            "parallel": .boundedInteger(
                description:
                    "The number of concurrent migrations. Default: the limits of the cluster.",
                range: 1...1000)
        ])
}

extension ActivateHost: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "How to end the maintenance of a host.", isStrict: true,
        fields: [
            "bringBack": "Migrate the VMs back that a drain moved away. Default: false."
        ])
}

extension CreateToken: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A new token.", isStrict: true,
        fields: [
            "name": .resourceName(description: "The name of the token, unique in the cluster."),
            "role": "What the token permits.",
            "validForSeconds": .boundedInteger(
                description: "The lifetime of the token. Default: it does not expire.",
                range: Int64(Limits.tokenSeconds.lowerBound)...Int64(Limits.tokenSeconds.upperBound)
            ),
        ], examples: [["name": "grafana", "role": "viewer", "validForSeconds": 31_536_000]])
}

extension TokenInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A token. Only the answer to its creation contains the secret.",
        fields: [
            "name": "The name of the token.",
            "role": "What the token permits.",
            "createdAtMs": .timestamp(description: "The time of creation"),
            "expiresAtMs": .timestamp(description: "The time of expiry"),
            "token": "The token itself. Only in the answer to its creation.",
        ])
}

extension Page: DescribedObject where Item: DescribedObject {
    package static var apiDescription: ObjectDescription {
        ObjectDescription(
            "One page of a list.", name: "\(Item.self)Page",
            fields: [
                "items": .uniformList(description: "The items, in order.", element: "An item."),
                "next": "`after` for the next page. Omitted on the last page.",
            ])
    }
}
