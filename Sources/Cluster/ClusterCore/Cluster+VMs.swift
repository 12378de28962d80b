// What owners and operators ask of VMs, and of the groups that they make.

package import API
package import Model
import Placement

extension Cluster {
    /// Keeps a VM from now on. The same request once more, by its id, changes nothing.
    package mutating func createVM(
        _ request: CreateClusterVM, _ now: Moment, _ output: inout Output
    ) throws(Problem) -> ClusterVM {
        if let known = vms[request.spec.name] {
            guard known.isMade(by: request) else {
                throw Problem(.nameTaken, "the cluster has a VM \(request.spec.name) already")
            }
            return show(known)
        }
        try check(request)
        let record = ClusterVMRecord(request, id: request.id ?? newIdentifier())
        guard names[record.id] == nil else {
            throw Problem(.nameTaken, "another VM has the id \(record.id)")
        }
        try checkGroups(request.policy.groups)
        for group in request.policy.groups { addGroup(group, &output) }
        do { try addToScheduler(record, now) } catch {
            throw Problem(.invalid, "the scheduler cannot take this VM: \(error)")
        }
        names[record.id] = record.name
        vmSights[record.id] = VMSight()
        if let wish = request.startOn { try checkStart(record, on: wish) }
        vmNames.insert(record.name)
        save(record, &output, now)
        reconcile(record.name, now, &output)
        return show(vms[record.name] ?? record)
    }

    /// A wish for a host that cannot be met is told at once, and nothing is kept of it.
    private mutating func checkStart(
        _ vm: ClusterVMRecord, on host: HostName
    ) throws(Problem) {
        guard let row = scheduler.vm(vm.id), let index = scheduler.host(named: host.text),
            let refusal = scheduler.refusal(of: row, on: index, for: .start)
        else { return }
        scheduler.remove(row)
        names[vm.id] = nil
        vmSights[vm.id] = nil
        throw Problem(.noHostFits, "host \(host) cannot take VM \(vm.name): \(refusal)")
    }

    func check(_ request: CreateClusterVM) throws(Problem) {
        guard vms.count < Limits.vmsMax else {
            throw Problem(.tooMany, "the cluster has \(vms.count) VMs, its limit")
        }
        try request.spec.checkForCreation()
        try checkWords(request.policy.labels, "labels", max: Limits.labelsMax)
        try checkPriority(request.policy.priority)
        for host in [request.policy.pinnedHost, request.startOn].compactMap({ $0 })
        where hosts[host] == nil {
            throw Problem(
                .hostUnknown,
                "the cluster has no host \(host); it has \(hostNames.items.map(\.text).joined(separator: ", "))"
            )
        }
    }

    private func checkWords(_ words: [String], _ field: String, max: Int) throws(Problem) {
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
        _ name: VMName, _ update: UpdateClusterVM, _ now: Moment, _ output: inout Output
    ) throws(Problem) -> ClusterVM {
        var vm = try vmRecord(name)
        guard !vm.isDeleting else { throw Problem(.wrongState, "VM \(name) is being deleted") }
        if let seen = update.revision, seen != vm.version {
            throw Problem(
                .revisionMovedOn,
                "VM \(name) has revision \(vm.version), not \(seen): look at it again")
        }
        var policy = vm.policy
        if let labels = update.labels {
            try checkWords(labels, "labels", max: Limits.labelsMax)
            policy.labels = labels
        }
        try checkPriority(update.priority)
        policy.priority = update.priority ?? policy.priority
        policy.mayBeBalanced = update.mayBeBalanced ?? policy.mayBeBalanced
        if let failurePolicy = update.failurePolicy, failurePolicy != policy.failurePolicy {
            guard vm.place == nil, vm.start == nil else {
                throw Problem(
                    .wrongState,
                    "the failure policy of VM \(name) can only be changed before it is first started: its process was made for \(policy.failurePolicy.rawValue)"
                )
            }
            policy.failurePolicy = failurePolicy
        }
        if let desired = update.desired {
            vm.bootWanted = desired == .running
            if desired == .running {
                vm.restarts = 0
                vm.notBeforeMs = nil
            }
            policy.desired = desired
        }
        vm.change(to: policy)
        save(vm, &output, now)
        vmSights[vm.id]?.retryAt = now.uptime
        reconcile(name, now, &output)
        return show(vms[name] ?? vm)
    }

    package mutating func deleteVM(
        _ name: VMName, _ now: Moment, _ output: inout Output
    ) throws(Problem) -> ClusterVM {
        var vm = try vmRecord(name)
        vm.isDeleting = true
        vm.move?.isCancelled = true
        save(vm, &output, now)
        vmSights[vm.id]?.retryAt = now.uptime
        reconcile(name, now, &output)
        return show(vms[name] ?? vm)
    }

    func vmRecord(_ name: VMName) throws(Problem) -> ClusterVMRecord {
        guard let vm = vms[name] else {
            throw Problem(.vmNotFound, "the cluster has no VM \(name)")
        }
        return vm
    }
}

// MARK: - Groups

extension Cluster {
    func checkGroups(_ wanted: [GroupSpec]) throws(Problem) {
        try checkWords(wanted.map(\.name), "groups", max: Limits.groupsOfVMMax)
        var seen: [String: GroupSpec] = [:]
        for group in wanted {
            if let other = seen[group.name] ?? groups[group.name]?.group, other != group {
                throw Problem(
                    .groupDiffers,
                    "group \(group.name) is described as \(group), but is \(other): use another name, or describe it the same"
                )
            }
            seen[group.name] = group
            if let weight = group.softWeight, !(0.001...1000).contains(weight) {
                throw Problem(
                    .invalid, "softWeight of group \(group.name) is \(weight): use 0.001 to 1000")
            }
            if let most = group.perDomainMax,
                group.kind == .affinity || !(1...100_000).contains(most)
            {
                throw Problem(
                    .invalid,
                    "perDomainMax of group \(group.name) is \(most): use 1 to 100000, and only for anti-affinity"
                )
            }
        }
        let new = seen.keys.filter { groups[$0] == nil }.count
        guard groups.count + new <= Limits.groupsMax else {
            throw Problem(.tooMany, "the cluster has \(groups.count) groups, near its limit")
        }
    }

    private mutating func addGroup(_ group: GroupSpec, _ output: inout Output) {
        guard groups[group.name] == nil else { return }
        groups[group.name] = GroupRecord(group: group)
        do { try scheduler.add(AffinityGroup(group)) } catch {
            fatalError("a checked group is refused by the scheduler: \(error)")
        }
        output.note(.group(group.name))
    }

    package func groups(after: String?, limit: Int) -> Page<GroupInfo> {
        let members = Dictionary(
            grouping: vms.values.flatMap { vm in vm.policy.groups.map { ($0.name, vm.name) } },
            by: \.0
        ).mapValues { $0.map(\.1).sorted() }
        let names = groups.keys.sorted().filter { after == nil || $0 > after ?? "" }
        let items = names.prefix(limit).compactMap { name in
            groups[name].map {
                GroupInfo(
                    group: $0.group, members: members[name, default: []], revision: $0.version)
            }
        }
        return Page(items: items, next: names.count > limit ? items.last?.group.name : nil)
    }

    package mutating func deleteGroup(
        _ name: String, _ now: Moment, _ output: inout Output
    ) throws(Problem) {
        guard groups[name] != nil else {
            throw Problem(.groupNotFound, "the cluster has no group '\(name.prefix(100))'")
        }
        let members = vms.values.filter { $0.policy.groups.contains { $0.name == name } }.map(
            \.name
        ).sorted()
        guard members.isEmpty else {
            throw Problem(
                .inUse,
                "group \(name) has members: \(members.prefix(10).map(\.text).joined(separator: ", "))"
            )
        }
        groups[name] = nil
        output.note(.group(name))
        do { try rebuildScheduler(now) } catch {
            fatalError("a cluster with fewer groups is refused by the scheduler: \(error)")
        }
    }
}

extension ClusterVMRecord {
    init(_ request: CreateClusterVM, id: VMID) {
        self.init(id: id, spec: request.spec, policy: request.policy, startOn: request.startOn)
        spec.isLeased = policy.leasesVM
    }

    /// This very request, by its id, made the VM.
    fileprivate func isMade(by request: CreateClusterVM) -> Bool {
        var asked = request.spec
        asked.isLeased = spec.isLeased
        return request.id == id && asked == spec && request.startOn == startOn
            && request.policy == firstPolicy ?? policy
    }

    mutating func change(to policy: ClusterVMPolicy) {
        guard policy != self.policy else { return }
        firstPolicy = firstPolicy ?? self.policy
        self.policy = policy
        spec.isLeased = policy.leasesVM
    }
}

extension ClusterVMPolicy {
    /// A VM that may be started elsewhere must stop where it was.
    var leasesVM: Bool { failurePolicy == .restart }
}
