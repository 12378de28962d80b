// What owners and operators ask of VMs.

package import API
package import Model
import Placement

extension Cluster {
    /// Keeps a VM from now on. The same request once more, by its id, changes nothing.
    package mutating func createVM(
        _ request: CreateClusterVM, in context: inout Context
    ) throws(Problem) -> ClusterVM {
        if let known = records.vms[request.spec.name] {
            guard known.isMade(by: request) else {
                throw Problem(.nameTaken, "the cluster has a VM \(request.spec.name) already")
            }
            return view(of: known)
        }
        try check(request)
        let record = ClusterVMRecord(request, id: request.id ?? newIdentifier())
        guard records.vms.name(of: record.id) == nil else {
            throw Problem(.nameTaken, "another VM has the id \(record.id)")
        }
        try checkGroups(request.policy.groups)
        for group in request.policy.groups { addGroup(group, in: &context) }
        do { try scheduling.add(record, use: nil, at: context.now) } catch {
            throw Problem(.invalid, "the scheduler cannot take this VM: \(error)")
        }
        if let wish = request.startOn { try checkStart(of: record, on: wish) }
        observations.beginObserving(vm: record.id)
        store(record, in: &context)
        reconcile(record.name, in: &context)
        return view(of: records.vms[record.name] ?? record)
    }

    /// A wish for a host that cannot be met is refused at once, and nothing is kept of the VM.
    private mutating func checkStart(
        of vm: ClusterVMRecord, on host: HostName
    ) throws(Problem) {
        let state = scheduling.state
        guard let row = state.vm(vm.id), let index = state.host(named: host.text),
            let refusal = state.refusal(of: row, on: index, for: .start)
        else { return }
        scheduling.remove(vm.id)
        throw Problem(.noHostFits, "host \(host) cannot take VM \(vm.name): \(refusal)")
    }

    func check(_ request: CreateClusterVM) throws(Problem) {
        guard records.vms.count < Limits.vmsMax else {
            throw Problem(.tooMany, "the cluster has \(records.vms.count) VMs, its limit")
        }
        try request.spec.checkForCreation()
        try checkWords(request.policy.labels, field: "labels", max: Limits.labelsMax)
        try checkPriority(request.policy.priority)
        for host in [request.policy.pinnedHost, request.startOn].compactMap({ $0 })
        where records.hosts[host] == nil {
            throw Problem(
                .hostUnknown,
                "the cluster has no host \(host); it has \(hostNamesText)"
            )
        }
    }

    var hostNamesText: String {
        records.hosts.sortedNames.map(\.text).joined(separator: ", ")
    }

    func checkWords(_ words: [String], field: String, max: Int) throws(Problem) {
        guard words.count <= max else { throw Problem(.invalid, "\(field): at most \(max)") }
        for word in words {
            guard !word.isEmpty, word.utf8.count <= Limits.wordBytesMax,
                word.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") })
            else {
                throw Problem(
                    .invalid,
                    "\(field): '\(word.prefix(40))' is not a word of 1 to \(Limits.wordBytesMax) bytes without spaces and slashes"
                )
            }
        }
    }

    private func checkPriority(_ priority: Int?) throws(Problem) {
        guard (-1_000_000...1_000_000).contains(priority ?? 0) else {
            throw Problem(.invalid, "priority is \(priority ?? 0): use -1000000 to 1000000")
        }
    }

    package mutating func updateVM(
        _ name: VMName, applying update: UpdateClusterVM, in context: inout Context
    ) throws(Problem) -> ClusterVM {
        var vm = try vmRecord(named: name)
        guard !vm.isDeleting else { throw Problem(.wrongState, "VM \(name) is being deleted") }
        if let seen = update.revision, seen != vm.version {
            throw Problem(
                .revisionMovedOn,
                "VM \(name) has revision \(vm.version), not \(seen): look at it again")
        }
        vm.change(to: try policy(of: vm, changedBy: update))
        if let desired = update.desired { vm.prepareStart(ifWanted: desired) }
        return storeAndReconcile(vm, in: &context)
    }

    private func policy(
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
                    "the failure policy of VM \(vm.name) can only be changed before it is first started: its process was made for \(policy.failurePolicy.rawValue)"
                )
            }
            policy.failurePolicy = failurePolicy
        }
        policy.desired = update.desired ?? policy.desired
        return policy
    }

    private mutating func storeAndReconcile(
        _ vm: ClusterVMRecord, in context: inout Context
    ) -> ClusterVM {
        store(vm, in: &context)
        commands.postpone(vm.id, until: context.now.uptime)
        reconcile(vm.name, in: &context)
        return view(of: records.vms[vm.name] ?? vm)
    }

    package mutating func deleteVM(
        _ name: VMName, in context: inout Context
    ) throws(Problem) -> ClusterVM {
        var vm = try vmRecord(named: name)
        vm.isDeleting = true
        vm.move?.isCancelled = true
        return storeAndReconcile(vm, in: &context)
    }

    func vmRecord(named name: VMName) throws(Problem) -> ClusterVMRecord {
        guard let vm = records.vms[name] else {
            throw Problem(.vmNotFound, "the cluster has no VM \(name)")
        }
        return vm
    }
}

extension ClusterVMRecord {
    init(_ request: CreateClusterVM, id: VMID) {
        self.init(id: id, spec: request.spec, policy: request.policy, startOn: request.startOn)
        spec.isLeased = policy.leasesVM
    }

    /// The VM was created by this very request, which is recognised by its id.
    fileprivate func isMade(by request: CreateClusterVM) -> Bool {
        var requested = request.spec
        requested.isLeased = spec.isLeased
        return request.id == id && requested == spec && request.startOn == startOn
            && request.policy == firstPolicy ?? policy
    }

    mutating func change(to policy: ClusterVMPolicy) {
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
