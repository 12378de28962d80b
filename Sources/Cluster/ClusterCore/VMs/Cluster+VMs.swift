// What owners and operators ask of VMs.

package import API
package import Model
import Placement

extension Cluster {
    /// Keeps a VM from now on. The same request once more, by its id, changes nothing.
    package mutating func createVM(
        _ request: CreateClusterVM, in context: inout Context
    ) throws(Problem) -> ClusterVM {
        if let known = records.vms[request.name] {
            guard let wish = request.id, known.id == wish, known.request == request else {
                throw Problem(.nameTaken, "the cluster has a VM \(request.name) already")
            }
            return view(of: known)
        }
        try check(request)
        let record = ClusterVMRecord(request, id: request.id ?? newIdentifier())
        guard records.vms.name(of: record.id) == nil else {
            throw Problem(.nameTaken, "another VM has the id \(record.id)")
        }
        try checkGroups(request.groups ?? [])
        for group in request.groups ?? [] { addGroup(group, in: &context) }
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
        let command = CreateVM(
            name: request.name, memoryBytes: request.memoryBytes, vcpus: request.vcpus,
            hugePages: request.hugePages, downtimeLimitMs: request.downtimeLimitMs,
            commandLine: request.commandLine, kernelPath: request.kernelPath,
            initrdPath: request.initrdPath)
        _ = try command.spec(defaultCommandLine: "")
        try checkWords(request.labels ?? [], field: "labels", max: Limits.labelsMax)
        try checkPriority(request.priority)
        for host in [request.pinnedHost, request.startOn].compactMap({ $0 })
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
        if let labels = update.labels {
            try checkWords(labels, field: "labels", max: Limits.labelsMax)
            vm.labels = labels
        }
        try checkPriority(update.priority)
        vm.priority = update.priority ?? vm.priority
        vm.mayBeBalanced = update.mayBeBalanced ?? vm.mayBeBalanced
        if let policy = update.failurePolicy, policy != vm.failurePolicy {
            guard vm.place == nil, vm.start == nil else {
                throw Problem(
                    .wrongState,
                    "the failure policy of VM \(name) can only be changed before it is first started: its process was made for \(vm.failurePolicy.rawValue)"
                )
            }
            vm.failurePolicy = policy
        }
        if let desired = update.desired { vm.setDesired(desired) }
        return storeAndReconcile(vm, in: &context)
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
        self.init(
            id: id, name: request.name, request: request, desired: request.desired ?? .running,
            labels: request.labels ?? [], groups: (request.groups ?? []).map(\.name),
            priority: request.priority ?? 0, mayBeBalanced: request.mayBeBalanced ?? true,
            failurePolicy: request.failurePolicy ?? .leave)
    }

    mutating func setDesired(_ state: DesiredState) {
        bootWanted = state == .running
        if state == .running {
            restarts = 0
            notBeforeMs = nil
        }
        desired = state
    }
}
