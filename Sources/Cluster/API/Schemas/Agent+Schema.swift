// The descriptions of an agent's host, its consistency check, and recovery.

extension HostInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A host and its agent.",
        fields: [
            "name": "The name of the host.",
            "cluster": "The name of the cluster.",
            "cores": .boundedInteger(description: "The number of CPU cores.", atLeast: 1),
            "memoryBytes": "The memory of the host.",
            "memoryAvailableBytes": "Memory that the kernel reports as available.",
            "memoryReserveBytes": "Memory that is not available to VMs.",
            "cpuFeatures": .uniformList(
                description: "The CPU features that guests can use, named as in /proc/cpuinfo.",
                element: "The name of a feature."),
            "kvm": "What KVM supports on the host.",
            "kernelVersion": "The version of the kernel.",
            "agentVersion": "The version of the agent.",
            "processID": "The process of the agent.",
            "apiAddress": "IP:PORT of this API.",
            "peerAddress": "IP:PORT where the agent accepts migrations.",
            "vms": .unsignedInteger(description: "The number of VMs on the host."),
        ])
}

extension KVMInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "What KVM supports on a host.",
        fields: [
            "apiVersion": "The version of the KVM API. Omitted if /dev/kvm cannot be used.",
            "capabilities": .uniformList(
                description: "The results of KVM_CHECK_EXTENSION that are not 0, by name.",
                element: "The result."),
            "problem": "Why /dev/kvm cannot be used.",
        ])
}

extension HostCheck: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The result of the consistency check of a host.",
        fields: [
            "host": "The name of the host.",
            "ledgerSlots": .unsignedInteger(
                description: "The capacity of the ledger. Omitted if the ledger cannot be read."),
            "ledgerSlotsUsed": .unsignedInteger(
                description: "The used slots of the ledger. Omitted if the ledger cannot be read."),
            "diskFreeBytes": "Free space on the disk of the state folder.",
            "vms": .uniformList(
                description: "The VMs in the ledger or on the host.", element: "A VM."),
            "findings": .uniformList(description: "What the check found.", element: "A finding."),
        ])
}

extension CheckedVM: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A VM in the ledger or on the host.",
        fields: [
            "id": "The identifier of the VM.",
            "name": "The name of the VM.",
            "ledger": "The latest entry of the ledger.",
            "state": "The state of the VM.",
            "isBusy":
                "The VM is being created, migrated or deleted, so its state is about to change.",
        ])
}

extension CheckFinding: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A finding of the consistency check.",
        fields: [
            "code": "A stable code for programs. New codes may be added.",
            "severity": "The severity.",
            "host": "The host. Omitted if the finding is about several hosts.",
            "vm": "The name of the VM.",
            "vmID": "The identifier of the VM.",
            "message": "What was found.",
            "advice": "What to do.",
            "ageSeconds": .nonNegativeNumber(
                description: "How long the condition has existed at least."),
        ])
}

extension LedgerStanding: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "The latest entry about a VM in the ledger of a host.",
        fields: [
            "kind": "The kind of ownership.",
            "epoch": "The epoch. 0 if the ledger does not know the VM.",
            "peer": "The other host of the entry.",
            "migration": "The migration of the entry.",
        ])
}

extension RecoveryOption: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A decision that the host would accept now.",
        fields: [
            "ruling":
                "run_here: forced takeover by this host. forget_peer: the other host no longer needs to learn of it. give_up: the VM never runs on this host.",
            "effect": "What the decision does.",
            "risk":
                "What the decision risks. Omitted if it is safe. A decision with a risk must be confirmed with the name of the VM.",
        ])
}

extension RecoveryInfo: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "What one host knows about a VM.",
        fields: [
            "host": "The name of the host.",
            "vmID": "The identifier of the VM.",
            "name": "The name of the VM. Omitted if only the ledger knows the VM.",
            "ledger": "The latest entry of the ledger.",
            "state": "The state of the VM. Omitted if the VM is not on this host.",
            "processID": "The process of the VM.",
            "now": "What the agent is doing about the VM by itself.",
            "options": .uniformList(
                description: "The decisions that are possible now.", element: "A decision."),
        ])
}

extension RecoverVM: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "A decision about the ownership of a VM.",
        fields: [
            "ruling":
                "run_here: forced takeover by this host. forget_peer: the other host no longer needs to learn of it. give_up: the VM never runs on this host.",
            "epoch":
                "The epoch that the decision is based on. 412 if the ledger has changed since.",
            "confirm": "The name of the VM, if the decision is not safe.",
        ])
}
