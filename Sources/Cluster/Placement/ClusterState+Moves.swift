// Who runs where, and the sums that follow from it. Each change costs the same in a small cluster and in a large one.

extension ClusterState {
    /// Where a VM runs; nil: nowhere.
    package func currentHost(of vm: VMIndex) -> HostIndex? {
        let host = vmRows[vm].host
        return host < 0 ? nil : Int(host)
    }

    /// Where a VM is on its way to.
    package func migrationTarget(of vm: VMIndex) -> HostIndex? {
        let target = vmRows[vm].target
        return target < 0 ? nil : Int(target)
    }

    package func hostedVMCount(on host: HostIndex) -> Int { Int(hostRows[host].vmCount) }

    /// The VMs of a host, the last to come first.
    package func hostedVMs(on host: HostIndex) -> [VMIndex] {
        var list: [VMIndex] = []
        list.reserveCapacity(hostedVMCount(on: host))
        var vm = hostRows[host].firstVM
        while vm >= 0 {
            list.append(Int(vm))
            vm = vmRows[Int(vm)].next
        }
        return list
    }

    /// A VM that runs nowhere starts on a host.
    package mutating func assignVM(_ vm: VMIndex, to host: HostIndex) {
        precondition(vmRows[vm].isUsed && vmRows[vm].host < 0, "the VM already runs somewhere")
        linkIntoList(vm, of: host)
        hostRows[host].used = hostRows[host].used + vmRows[vm].request
        adjustGroupCounts(for: vm, on: host, step: 1)
        refreshIndex(of: host)
    }

    /// A VM that runs stops.
    package mutating func unassignVM(_ vm: VMIndex) {
        precondition(vmRows[vm].target < 0, "the VM is being moved")
        let host = Int(vmRows[vm].host)
        unlinkFromList(vm, of: host)
        hostRows[host].used = hostRows[host].used - vmRows[vm].request
        adjustGroupCounts(for: vm, on: host, step: -1)
        refreshIndex(of: host)
    }

    /// The whole of a move at once.
    package mutating func relocateVM(_ vm: VMIndex, to target: HostIndex) {
        unassignVM(vm)
        assignVM(vm, to: target)
    }

    /// A move begins: from now on the VM takes room at both ends, and counts at both in its groups.
    package mutating func beginMigration(of vm: VMIndex, to target: HostIndex) {
        precondition(vmRows[vm].host >= 0 && vmRows[vm].target < 0, "the VM cannot be moved now")
        precondition(Int(vmRows[vm].host) != target, "the VM is there already")
        vmRows[vm].target = Int32(target)
        var needed = vmRows[vm].request
        needed.memoryBytes += migrationOverheadBytes
        hostRows[target].used = hostRows[target].used + needed
        adjustGroupCounts(for: vm, on: target, step: 1)
        refreshIndex(of: target)
    }

    /// The move is over: the VM runs at its target.
    package mutating func finishMigration(of vm: VMIndex) {
        let target = Int(vmRows[vm].target)
        abandonMigration(of: vm)
        relocateVM(vm, to: target)
    }

    /// The move is given up: the VM runs where it was.
    package mutating func abandonMigration(of vm: VMIndex) {
        let target = Int(vmRows[vm].target)
        var needed = vmRows[vm].request
        needed.memoryBytes += migrationOverheadBytes
        hostRows[target].used = hostRows[target].used - needed
        adjustGroupCounts(for: vm, on: target, step: -1)
        vmRows[vm].target = -1
        refreshIndex(of: target)
    }

    /// A VM is measured anew.
    package mutating func setMeasuredUse(_ use: MeasuredUse?, of vm: VMIndex)
        throws(ClusterStateError)
    {
        try validateUse(use, owner: descriptions[vm].name)
        descriptions[vm].use = use
        let load = effectiveLoad(of: descriptions[vm])
        if vmRows[vm].host >= 0 {
            let host = Int(vmRows[vm].host)
            hostRows[host].load += load - vmRows[vm].load
            refreshIndex(of: host)
        }
        vmRows[vm].load = load
    }

    /// Many VMs are measured anew, each at most once. Orders of hosts are brought up to date once, not for each VM.
    package mutating func setMeasuredUses(
        _ uses: [(vm: VMIndex, use: MeasuredUse)]
    ) throws(ClusterStateError) {
        for (vm, use) in uses {
            try validateUse(use, of: vm)
            descriptions[vm].use = use
            if vmRows[vm].host >= 0 {
                hostRows[Int(vmRows[vm].host)].load += use.vector - vmRows[vm].load
            }
            vmRows[vm].load = use.vector
        }
        guard index.maintainsOrder(.leastLoaded) else { return }
        for host in allHosts where hostRows[host].vmCount > 0 { refreshIndex(of: host) }
    }

    private func validateUse(_ use: MeasuredUse, of vm: VMIndex) throws(ClusterStateError) {
        guard use.cores >= 0, use.cores <= 0x1p32, use.memoryBytes >= 0, use.memoryBytes <= 0x1p52
        else { throw .badFigure("use", of: descriptions[vm].name) }
    }

    /// What is remembered of a VM's last move.
    package mutating func setLastMove(_ lastMove: LastMove?, of vm: VMIndex) {
        descriptions[vm].lastMove = lastMove
    }

    /// For a plan: whether balance, and whoever makes room, may move a VM.
    package mutating func setBalancing(allowed mayBe: Bool, of vm: VMIndex) {
        descriptions[vm].mayBeBalanced = mayBe
    }

    /// Time goes by: last moves are longer ago.
    package mutating func ageLastMoves(by time: Duration) {
        for vm in descriptions.indices { descriptions[vm].lastMove?.age += time }
    }

    package mutating func setDirtyRate(bytesPerSecond: Double?, of vm: VMIndex) {
        descriptions[vm].dirtyBytesPerSecond = bytesPerSecond
    }

    private mutating func linkIntoList(_ vm: VMIndex, of host: HostIndex) {
        let first = hostRows[host].firstVM
        vmRows[vm].host = Int32(host)
        vmRows[vm].next = first
        vmRows[vm].previous = -1
        if first >= 0 { vmRows[Int(first)].previous = Int32(vm) }
        hostRows[host].firstVM = Int32(vm)
        hostRows[host].vmCount += 1
        hostRows[host].load += vmRows[vm].load
        hostRows[host].exit = max(hostRows[host].exit, vmRows[vm].departure)
    }

    private mutating func unlinkFromList(_ vm: VMIndex, of host: HostIndex) {
        let (next, previous) = (vmRows[vm].next, vmRows[vm].previous)
        if previous >= 0 {
            vmRows[Int(previous)].next = next
        } else {
            hostRows[host].firstVM = next
        }
        if next >= 0 { vmRows[Int(next)].previous = previous }
        vmRows[vm].host = -1
        hostRows[host].vmCount -= 1
        // An empty host has its own load exactly, not what rounding left over.
        if hostRows[host].vmCount == 0 {
            hostRows[host].load = hosts[host].ownUse.vector
        } else {
            hostRows[host].load -= vmRows[vm].load
        }
        recordDeparture(at: vmRows[vm].departure, from: host)
    }
}

// MARK: - Figures for policies

extension ClusterState {
    /// What a VM asks for.
    package func requestedResources(of vm: VMIndex) -> Resources { vmRows[vm].request }
    /// What a host may still promise; below zero when a host was made smaller.
    package func freeResources(on host: HostIndex) -> Resources { hostRows[host].free }
    package func resourceLimit(of host: HostIndex) -> Resources { hostRows[host].limit }
    package func usedResources(on host: HostIndex) -> Resources { hostRows[host].used }

    /// A host's load: shares of the machine's cores and memory that are in use.
    package func loadShare(of host: HostIndex) -> (cpu: Double, memory: Double) {
        let share = hostRows[host].load * hostRows[host].inverseCapacity
        return (share.x, share.y)
    }

    /// A host's free vCPUs and memory in units of the largest host: comparable between hosts of any size.
    package func freeInUnits(of host: HostIndex) -> (cpu: Double, memory: Double) {
        let units = hostRows[host].free.normalised(to: largestLimit)
        return (units.x, units.y)
    }

    /// What a VM asks for in units of the largest host.
    package func requestInUnits(of vm: VMIndex) -> (cpu: Double, memory: Double) {
        let units = vmRows[vm].request.normalised(to: largestLimit)
        return (units.x, units.y)
    }
}

extension Resources {
    func normalised(to largest: Resources) -> LoadVector {
        LoadVector(
            Double(milliCPUs) / Double(largest.milliCPUs),
            Double(memoryBytes) / Double(largest.memoryBytes))
    }
}
