// The descriptions of VMs: as the cluster manages them, and as an agent runs them. A property of a VM is described here
// once for all messages that have it.

import Model

extension VMSpec: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "What a host needs to build a VM. Omitted properties have their defaults.", isStrict: true,
        fields: [
            "name": "The name of the VM, unique in the cluster.",
            "memoryBytes": .boundedInteger(
                description: "The memory of the VM.", range: (1 << 20)...(1 << 44)),
            "vcpus": .boundedInteger(
                description: "The number of vCPUs. Default: 1.", range: 1...Int64(VMSpec.vcpusMax)),
            "hugePages": "The memory is backed by 2 MiB huge pages. Default: false.",
            "downtimeLimitMs": .nonNegativeNumber(
                description:
                    "The longest permitted downtime of a migration, in milliseconds. Default: 50."),
            "commandLine": .boundedText(
                description:
                    "The command line of the kernel. Default: that of the kernel that Ferry provides.",
                lengths: 0...VMSpec.commandLineBytesMax),
            "kernel": "What the VM boots. Default: the kernel that Ferry provides.",
            "isLeased":
                "The VM stops when the lease of its host expires. A controller sets it by the failure policy. Default: false.",
        ], examples: [["name": "web-1", "memoryBytes": 1_073_741_824, "vcpus": 2]])
}

extension KernelSource: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The kernel of a VM.", isStrict: true,
        fields: [
            "source":
                "files: the paths. shipped: the kernel that Ferry provides. unknown: the VM was restored from a saved file and cannot boot again. Default: files if a path is given, otherwise shipped.",
            "path": .boundedText(
                description:
                    "The absolute path of the kernel, the same on every host that may run the VM.",
                lengths: 0...KernelSource.pathBytesMax),
            "initrd": .boundedText(
                description:
                    "The absolute path of the initial RAM disk, the same on every host that may run the VM.",
                lengths: 0...KernelSource.pathBytesMax),
        ])
}

/// What only the cluster knows about a VM.
private enum PolicyFields {
    static let labels = FieldDescription.uniformList(
        description: "The labels that the host must have.",
        element: "A word without spaces and slashes.",
        itemsMax: 64, lengths: .word)
    static let priority = FieldDescription.boundedInteger(
        description: "A larger value is more important. Default: 0.", range: -1_000_000...1_000_000)
    static let mayBeBalanced: FieldDescription =
        "The balancer may migrate the VM. Default: true."
    static let failurePolicy: FieldDescription =
        "What happens when the guest or its host fails. leave: nothing. restart: the VM boots again, on another host if its host is fenced. Default: leave."
    static let desired: FieldDescription = "The desired state. Default: running."
}

extension GroupSpec: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "VMs that are placed together or apart.", isStrict: true,
        fields: [
            "name": .boundedText(description: "A word without spaces and slashes.", lengths: .word),
            "kind": "affinity: together. anti-affinity: apart.",
            "scope": "The domain that the members share or do not share. Default: host.",
            "softWeight": .boundedNumber(
                description:
                    "The group is a term of the score, with this weight. Default: the group is never violated.",
                range: 0.001...1000),
            "perDomainMax": .boundedInteger(
                description:
                    "For anti-affinity: the maximum number of members in one domain. Default: 1.",
                range: 1...100_000),
        ])
}

extension GroupInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A group and its members.",
        fields: [
            "group": "The group.",
            "members": .uniformList(
                description: "The members by name.", element: "The name of a VM."),
            "revision": .boundedInteger(description: "The revision of the record.", atLeast: 1),
        ])
}

extension ClusterVMPolicy: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "What only the cluster knows about a VM. Omitted properties have their defaults.",
        isStrict: true,
        fields: [
            "desired": PolicyFields.desired,
            "failurePolicy": PolicyFields.failurePolicy,
            "priority": PolicyFields.priority,
            "mayBeBalanced": PolicyFields.mayBeBalanced,
            "labels": PolicyFields.labels,
            "groups": .uniformList(
                description: "The groups of the VM. Groups that do not exist are created.",
                element: "A group.",
                itemsMax: 16),
            "pinnedHost": "The only host that may run the VM.",
        ])
}

extension CreateClusterVM: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A VM that the cluster is to manage.", isStrict: true,
        fields: [
            "spec": "The VM.",
            "policy": "What the cluster does with the VM.",
            "startOn": "The host where the VM starts. It may be migrated later.",
            "id":
                "The identifier of the VM, chosen by the client, so that a repeated request creates one VM.",
        ],
        examples: [
            [
                "spec": ["name": "web-1", "memoryBytes": 1_073_741_824, "vcpus": 2],
                "policy": [
                    "failurePolicy": "restart", "labels": ["ssd"],
                    "groups": [["name": "web", "kind": "anti-affinity"]],
                ],
            ]
        ])
}

extension UpdateClusterVM: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "Changes of a VM. Omitted properties keep their values.", isStrict: true,
        fields: [
            "desired": "The desired state.",
            "labels": PolicyFields.labels,
            "priority": PolicyFields.priority,
            "mayBeBalanced": PolicyFields.mayBeBalanced,
            "failurePolicy": PolicyFields.failurePolicy,
            "revision":
                "The revision that the change is based on. 412 if the VM has changed since.",
        ], examples: [["desired": "stopped"]])
}

extension ClusterVM: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A VM as the cluster manages it.",
        fields: [
            "id": "The identifier of the VM. It never changes.",
            "revision": .boundedInteger(description: "The revision of the record.", atLeast: 1),
            "spec": "The VM.",
            "policy": "What the cluster does with the VM.",
            "state": "The state of the VM.",
            "reason": "Why the VM is in this state.",
            "host": "The host of the VM.",
            "destination": "The destination of the running migration.",
            "migration": "The running migration.",
            "epoch": "The epoch of the ownership. It increases with each migration.",
            "restarts": .unsignedInteger(
                description: "The number of restarts since the VM last ran for long."),
            "home": "The host that a drain migrated the VM from.",
            "cpuCores": .nonNegativeNumber(description: "Busy cores."),
            "memoryUsedBytes": "Memory that the host backs.",
            "dirtyBytesPerSecond": .nonNegativeNumber(description: "The dirty rate."),
        ])
}

extension CreateVM: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A VM to create on this host.",
        fields: [
            "spec": "The VM.",
            "paused": "Create the VM without starting it.",
            "id":
                "The identifier of the VM, chosen by the client, so that a repeated request creates one VM.",
            "epoch": .boundedInteger(
                description: "The epoch of the first ownership. Default: 1.", atLeast: 1),
        ],
        examples: [["spec": ["name": "web-1", "memoryBytes": 1_073_741_824, "vcpus": 2]]])
}

extension VMInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A VM as its agent runs it.",
        fields: [
            "id": "The identifier of the VM. It never changes.",
            "host": "The host of the VM.",
            "state": "The state of the VM.",
            "spec": "The VM.",
            "restoredFrom":
                "The saved file that the VM was restored from on this host. It contains no kernel.",
            "epoch": "The epoch of the ownership. It increases with each migration.",
            "cpuTimeMs": .nonNegativeNumber(
                description: "The CPU time of all vCPUs on this host, in milliseconds."),
            "processID": "The process of the VM. Omitted if it does not run.",
            "activity":
                "The operation that keeps the VM busy, for example \"migrating to host-b\".",
            "exit": "Why the VM ended.",
            "warning": "A condition that needs attention, for example an unresolved handover.",
        ])
}

extension VMList: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The VMs of a host.",
        fields: ["vms": .uniformList(description: "By name.", element: "A VM.")])
}

extension SaveVM: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "Where to save a VM.",
        fields: [
            "path": .boundedText(
                description:
                    "An absolute path on the host. Default: NAME.ferry in the agent's folder of saved VMs.",
                lengths: 1...Limits.pathBytesMax)
        ])
}

extension SavedVM: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A saved VM.",
        fields: ["path": "The path of the file.", "bytes": "The size of the file."])
}

extension RestoreVM: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A saved file to create a VM from. A path or a name is required.",
        fields: [
            "path": .boundedText(
                description:
                    "An absolute path on the host. Default: NAME.ferry in the agent's folder of saved VMs.",
                lengths: 1...Limits.pathBytesMax),
            "name": "The new name of the VM. Default: the name that it had.",
            "paused": "Restore the VM without starting it.",
        ])
}
