// What owners and operators ask of VMs.

package import API
package import Model
import Placement

extension Cluster {
    /// Keeps a VM from now on. The same request once more, by its id, changes nothing.
    package mutating func createVM(
        from request: CreateClusterVM, in context: inout Context
    ) throws(Problem) -> ClusterVM {
        if let known = records.vms[request.spec.name] {
            guard known.isCreated(by: request) else {
                throw Problem(
                    .nameTaken, detail: "the cluster has a VM \(request.spec.name) already")
            }
            return clusterVM(for: known)
        }
        try checkCreation(for: request)
        let record = ClusterVMRecord(request: request, id: request.id ?? newIdentifier())
        guard records.vms.recordName(of: record.id) == nil else {
            throw Problem(.nameTaken, detail: "another VM has the id \(record.id)")
        }
        try checkGroups(requested: request.policy.groups)
        for group in request.policy.groups { createGroup(from: group, in: &context) }
        do { try scheduling.addVMRecord(record, use: nil, at: context.now) } catch {
            throw Problem(.invalid, detail: "the scheduler cannot take this VM: \(error)")
        }
        if let wish = request.startOn { try checkStart(of: record, on: wish) }
        observations.beginObserving(vm: record.id)
        storeVMRecord(record, in: &context)
        reconcileVM(named: record.name, in: &context)
        return clusterVM(for: records.vms[record.name] ?? record)
    }

    /// A wish for a host that cannot be met is refused at once, and nothing is kept of the VM.
    private mutating func checkStart(
        of vm: ClusterVMRecord, on host: HostName
    ) throws(Problem) {
        let state = scheduling.state
        guard let row = state.indexOfVM(withID: vm.id),
            let index = state.indexOfHost(named: host.text),
            let refusal = state.refusalReason(of: row, on: index, for: .start)
        else { return }
        scheduling.removeVM(withID: vm.id)
        throw Problem(.noHostFits, detail: "host \(host) cannot take VM \(vm.name): \(refusal)")
    }

    func checkCreation(for request: CreateClusterVM) throws(Problem) {
        guard records.vms.count < Limits.vmsMax else {
            throw Problem(.tooMany, detail: "the cluster has \(records.vms.count) VMs, its limit")
        }
        try request.spec.checkForCreation()
        try checkWords(request.policy.labels, field: "labels", max: Limits.labelsMax)
        try checkPriority(request.policy.priority)
        for host in [request.policy.pinnedHost, request.startOn].compactMap({ $0 })
        where records.hosts[host] == nil {
            throw Problem(
                .hostUnknown,
                detail: "the cluster has no host \(host); it has \(hostNamesText)"
            )
        }
    }

    var hostNamesText: String {
        records.hosts.sortedNames.map(\.text).joined(separator: ", ")
    }

    func checkWords(_ words: [String], field: String, max: Int) throws(Problem) {
        guard words.count <= max else {
            throw Problem(.invalid, detail: "\(field): at most \(max)")
        }
        for word in words {
            guard !word.isEmpty, word.utf8.count <= Limits.wordBytesMax,
                word.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") })
            else {
                throw Problem(
                    .invalid,
                    detail:
                        "\(field): '\(word.prefix(40))' is not a word of 1 to \(Limits.wordBytesMax) bytes without spaces and slashes"
                )
            }
        }
    }

    private func checkPriority(_ priority: Int?) throws(Problem) {
        guard (-1_000_000...1_000_000).contains(priority ?? 0) else {
            throw Problem(.invalid, detail: "priority is \(priority ?? 0): use -1000000 to 1000000")
        }
    }

    package mutating func updateVM(
        named name: VMName, applying update: UpdateClusterVM, in context: inout Context
    ) throws(Problem) -> ClusterVM {
        var vm = try vmRecord(named: name)
        guard !vm.isDeleting else {
            throw Problem(.wrongState, detail: "VM \(name) is being deleted")
        }
        if let seen = update.revision, seen != vm.version {
            throw Problem(
                .revisionMovedOn,
                detail: "VM \(name) has revision \(vm.version), not \(seen): look at it again")
        }
        vm.changePolicy(to: try updatedPolicy(of: vm, changedBy: update))
        if let desired = update.desired { vm.prepareStart(ifWanted: desired) }
        return storeAndReconcile(vm: vm, in: &context)
    }

    private func updatedPolicy(
        of vm: ClusterVMRecord, changedBy update: UpdateClusterVM
    ) throws(Problem) -> ClusterVMPolicy {
        var policy = vm.policy
        if let labels = update.labels {
            try checkWords(labels, field: "labels", max: Limits.labelsMax)
            policy.labels = labels
        }
        try checkPriority(update.priority)
        policy.priority = update.priority ?? policy.priority
        policy.mayBeBalanced = update.mayBeBalanced ?? policy.mayBeBalanced
        if let failurePolicy = update.failurePolicy, failurePolicy != policy.failurePolicy {
            guard vm.place == nil, vm.start == nil else {
                throw Problem(
                    .wrongState,
                    detail:
                        "the failure policy of VM \(vm.name) can only be changed before it is first started: its process was made for \(policy.failurePolicy.rawValue)"
                )
            }
            policy.failurePolicy = failurePolicy
        }
        policy.desired = update.desired ?? policy.desired
        return policy
    }

    private mutating func storeAndReconcile(
        vm: ClusterVMRecord, in context: inout Context
    ) -> ClusterVM {
        storeVMRecord(vm, in: &context)
        commands.postponeCommands(for: vm.id, until: context.now.uptime)
        reconcileVM(named: vm.name, in: &context)
        return clusterVM(for: records.vms[vm.name] ?? vm)
    }

    package mutating func deleteVM(
        named name: VMName, in context: inout Context
    ) throws(Problem) -> ClusterVM {
        var vm = try vmRecord(named: name)
        vm.isDeleting = true
        vm.move?.isCancelled = true
        return storeAndReconcile(vm: vm, in: &context)
    }

    func vmRecord(named name: VMName) throws(Problem) -> ClusterVMRecord {
        guard let vm = records.vms[name] else {
            throw Problem(.vmNotFound, detail: "the cluster has no VM \(name)")
        }
        return vm
    }
}

extension ClusterVMRecord {
    init(request: CreateClusterVM, id: VMID) {
        self.init(id: id, spec: request.spec, policy: request.policy, startOn: request.startOn)
        spec.isLeased = policy.leasesVM
    }

    /// The VM was created by this very request, which is recognised by its id.
    fileprivate func isCreated(by request: CreateClusterVM) -> Bool {
        var requested = request.spec
        requested.isLeased = spec.isLeased
        return request.id == id && requested == spec && request.startOn == startOn
            && request.policy == firstPolicy ?? policy
    }

    mutating func changePolicy(to policy: ClusterVMPolicy) {
        guard policy != self.policy else { return }
        firstPolicy = firstPolicy ?? self.policy
        self.policy = policy
        spec.isLeased = policy.leasesVM
    }

    /// A request for the desired state counts again although the VM has it already.
    fileprivate mutating func prepareStart(ifWanted state: DesiredState) {
        bootWanted = state == .running
        if state == .running {
            restarts = 0
            notBeforeMs = nil
        }
    }
}

extension ClusterVMPolicy {
    /// A VM that may be started elsewhere must stop where it was.
    var leasesVM: Bool { failurePolicy == .restart }
}
