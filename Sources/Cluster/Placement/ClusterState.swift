// The whole cluster as dense rows: what every decision reads and every change updates.
//
// Hosts and VMs are numbered; a row holds the figures that hot loops need, a description what people need. All sums
// are kept as VMs come, go and move, in constant time. The VMs of a host form a linked list through their rows:
//
//   host row ── firstVM ──▶ VM row ── next ──▶ VM row ── next ──▶ -1
//
// A copy shares its arrays until one of the two is changed: what-if costs nothing until then.
// The invariant: sums of a host equal the sums over its VMs and those on their way to it.

package import Model

/// A host's row; stays the same as long as the state lives.
package typealias HostIndex = Int
/// A VM's row; used again after the VM is removed.
package typealias VMIndex = Int

/// Why something cannot be added.
package enum ClusterStateError: Error, Hashable, Sendable {
    case duplicateHost(String)
    case duplicateVM(VMID, name: String)
    case duplicateGroup(String)
    case unknownGroup(String, vm: String)
    case unknownHost(String)
    /// Not a number, or below zero where that has no meaning.
    case badFigure(String, of: String)
    case tooMany(String, max: Int)
}

struct HostRow: Sendable {
    var limit: Resources
    var used = Resources.none
    /// Cores busy and bytes touched: its own and its VMs'.
    var load: LoadVector
    /// One divided by what the machine has, so that load becomes a share.
    var inverseCapacity: LoadVector
    var isActive: Bool
    var features: Int32
    var labels: Int32
    var rack: Int32
    var zone: Int32
    var link: Int32
    var firstVM: Int32 = -1
    var vmCount: Int32 = 0
    /// The latest departure that is expected of its VMs; the lowest number: it has none.
    var exit = Int.min

    var free: Resources { limit - used }
}

struct VMRow: Sendable {
    var request: Resources
    var load: LoadVector
    var features: Int32
    var labels: Int32
    /// Where it runs; -1: nowhere.
    var host: Int32 = -1
    /// Where it is going; -1: it is not being moved.
    var target: Int32 = -1
    var next: Int32 = -1
    var previous: Int32 = -1
    /// -1: not pinned.
    var pinned: Int32 = -1
    var hasGroups = false
    var isUsed = true
    /// When it is expected to end.
    var departure = ClusterState.never
}

/// Hosts, VMs, groups, and who runs where.
package struct ClusterState: Sendable {
    /// Share of a vCPU that is counted as busy before anything is measured.
    package let assumedBusyShare: Double
    /// Memory that a migration needs at the destination beside the guest's own.
    package let migrationOverheadBytes: Int

    package private(set) var hosts: [PlacementHost] = []
    var descriptions: [PlacementVM] = []
    var hostRows: [HostRow] = []
    var vmRows: [VMRow] = []
    var groupsOfVM: [[Int32]] = []
    var groups: [GroupRow] = []
    var index = HostIndexes()
    /// Seconds on the clock of whoever says when VMs will end; see `setNow`.
    package internal(set) var now = 0
    /// Whether anything is expected of any VM.
    var expectsDepartures = false

    private var freeVMRows: [Int32] = []
    private var hostIndices: [String: HostIndex] = [:]
    private var vmIndices: [VMID: VMIndex] = [:]
    private var groupIndices: [String: Int32] = [:]
    /// By the whole that they are parts of.
    private var partitions: [String: [Int32]] = [:]
    var featureTable = TraitTable()
    var labelTable = TraitTable()
    private var racks: [FaultDomain: Int32] = [:]
    private var zones: [String: Int32] = [:]
    private var links: [String: Int32] = [:]
    /// The most that any one host may promise: the unit in which scores measure free room.
    private(set) var largestLimit = Resources(milliCPUs: 1, memoryBytes: 1)

    package init(assumedBusyShare: Double = 0.3, migrationOverheadBytes: Int = 0) {
        self.assumedBusyShare = assumedBusyShare
        self.migrationOverheadBytes = migrationOverheadBytes
    }

    package var vmCount: Int { vmIndices.count }
    package var allHosts: Range<HostIndex> { hostRows.indices }
    /// Rows in use, ascending.
    package var allVMs: [VMIndex] { vmRows.indices.filter { vmRows[$0].isUsed } }

    package func indexOfHost(named name: String) -> HostIndex? { hostIndices[name] }
    package func indexOfVM(withID id: VMID) -> VMIndex? { vmIndices[id] }
    package func description(of vm: VMIndex) -> PlacementVM { descriptions[vm] }
}

// MARK: - Coming and going

extension ClusterState {
    @discardableResult
    package mutating func registerHost(_ host: PlacementHost) throws(ClusterStateError) -> HostIndex
    {
        try validateHost(host)
        let index = hosts.count
        let rack =
            host.domain.rack.isEmpty ? Int32(-1 - index) : racks.assignNumber(to: host.domain)
        let zone =
            host.domain.zone.isEmpty ? Int32(-1 - index) : zones.assignNumber(to: host.domain.zone)
        let capacity = host.capacity.vector
        hostRows.append(
            HostRow(
                limit: host.limit, load: host.ownUse.vector,
                inverseCapacity: LoadVector(
                    capacity.x > 0 ? 1 / capacity.x : 0, capacity.y > 0 ? 1 / capacity.y : 0),
                isActive: host.state == .active,
                features: featureTable.offeredSetID(for: Set(host.features.names)),
                labels: labelTable.offeredSetID(for: host.labels), rack: rack, zone: zone,
                link: links.assignNumber(to: host.link.isEmpty ? "host \(host.name)" : host.link)))
        hosts.append(host)
        hostIndices[host.name] = index
        updateLargestLimit(with: host.limit)
        refreshIndex(of: index)
        return index
    }

    private func validateHost(_ host: PlacementHost) throws(ClusterStateError) {
        guard hosts.count < Limits.hostsMax else {
            throw .tooMany("hosts", max: Limits.hostsMax)
        }
        guard hostIndices[host.name] == nil else { throw .duplicateHost(host.name) }
        let figures: [(String, Double)] = [
            ("CPU capacity", Double(host.capacity.milliCPUs)),
            ("memory capacity", Double(host.capacity.memoryBytes)),
            ("reserved memory", Double(host.reservedMemoryBytes)),
            ("CPU overcommit", host.cpuOvercommit),
            ("memory overcommit", host.memoryOvercommit),
            ("busy cores", host.ownUse.cores), ("memory in use", host.ownUse.memoryBytes),
            ("link speed", host.linkBytesPerSecond),
        ]
        // So bounded, promises and sums of them stay far from the end of Int.
        for (name, value) in figures where !(value >= 0 && value <= 0x1p52) {
            throw .badFigure(name, of: host.name)
        }
        guard host.cpuOvercommit <= 1000, host.memoryOvercommit <= 1000 else {
            throw .badFigure("overcommit", of: host.name)
        }
    }

    private mutating func updateLargestLimit(with limit: Resources) {
        let before = largestLimit
        largestLimit.milliCPUs = max(largestLimit.milliCPUs, limit.milliCPUs)
        largestLimit.memoryBytes = max(largestLimit.memoryBytes, limit.memoryBytes)
        if before != largestLimit { rebuildIndexes() }
    }

    package mutating func registerGroup(_ group: AffinityGroup) throws(ClusterStateError) {
        guard groupIndices[group.name] == nil else { throw .duplicateGroup(group.name) }
        let index = Int32(groups.count)
        var row = GroupRow(group: group)
        if case .partition(let whole) = group.kind {
            row.siblings = partitions[whole] ?? []
            for sibling in row.siblings { groups[Int(sibling)].siblings.append(index) }
            partitions[whole, default: []].append(index)
        }
        groupIndices[group.name] = index
        groups.append(row)
    }

    /// Adds a VM that runs nowhere yet.
    @discardableResult
    package mutating func registerVM(_ vm: PlacementVM) throws(ClusterStateError) -> VMIndex {
        let row = try makeVMRow(for: vm)
        var memberships: [Int32] = []
        for name in vm.groups {
            guard let group = groupIndices[name] else { throw .unknownGroup(name, vm: vm.name) }
            if !memberships.contains(group) { memberships.append(group) }
        }
        let index: VMIndex
        if let reused = freeVMRows.popLast() {
            index = Int(reused)
            vmRows[index] = row
            descriptions[index] = vm
            groupsOfVM[index] = memberships
        } else {
            index = vmRows.count
            vmRows.append(row)
            descriptions.append(vm)
            groupsOfVM.append(memberships)
        }
        vmRows[index].hasGroups = !memberships.isEmpty
        vmIndices[vm.id] = index
        return index
    }

    private mutating func makeVMRow(for vm: PlacementVM) throws(ClusterStateError) -> VMRow {
        guard vmIndices.count < Limits.vmsMax else { throw .tooMany("VMs", max: Limits.vmsMax) }
        guard vmIndices[vm.id] == nil else { throw .duplicateVM(vm.id, name: vm.name) }
        try validateUse(vm.use, owner: vm.name)
        guard (0...1 << 40).contains(vm.request.milliCPUs),
            (0...1 << 52).contains(vm.request.memoryBytes)
        else { throw .badFigure("request", of: vm.name) }
        var pinned: Int32 = -1
        if let name = vm.pinnedHost {
            guard let host = hostIndices[name] else { throw .unknownHost(name) }
            pinned = Int32(host)
        }
        return VMRow(
            request: vm.request, load: effectiveLoad(of: vm),
            features: featureTable.neededSetID(for: Set(vm.features.names)),
            labels: labelTable.neededSetID(for: vm.labels), pinned: pinned)
    }

    func validateUse(_ use: MeasuredUse?, owner name: String) throws(ClusterStateError) {
        guard let use else { return }
        guard use.cores >= 0, use.cores <= 0x1p32, use.memoryBytes >= 0, use.memoryBytes <= 0x1p52
        else { throw .badFigure("use", of: name) }
    }

    /// What counts as its load: measured, else assumed from what it asked for.
    func effectiveLoad(of vm: PlacementVM) -> LoadVector {
        if let use = vm.use { return use.vector }
        return vm.request.vector * LoadVector(assumedBusyShare, 1)
    }

    /// Takes a VM out of the cluster; a move of it ends.
    package mutating func unregisterVM(_ vm: VMIndex) {
        if vmRows[vm].target >= 0 { abandonMigration(of: vm) }
        if vmRows[vm].host >= 0 { unassignVM(vm) }
        vmIndices[descriptions[vm].id] = nil
        vmRows[vm].isUsed = false
        groupsOfVM[vm] = []
        freeVMRows.append(Int32(vm))
    }
}

extension ClusterState {
    /// A host changes its state. Its VMs stay where they are.
    package mutating func setHostState(_ state: HostState, of host: HostIndex) {
        hosts[host].state = state
        hostRows[host].isActive = state == .active
        refreshIndex(of: host)
    }

    /// A host's own load, without its VMs', is measured anew.
    package mutating func setOwnUse(_ use: MeasuredUse, of host: HostIndex)
        throws(ClusterStateError)
    {
        try validateUse(use, owner: hosts[host].name)
        hostRows[host].load += use.vector - hosts[host].ownUse.vector
        hosts[host].ownUse = use
        refreshIndex(of: host)
    }
}

extension Dictionary where Value == Int32 {
    /// The number of `key`, the next one when it is new.
    fileprivate mutating func assignNumber(to key: Key) -> Int32 {
        if let known = self[key] { return known }
        let number = Int32(count)
        self[key] = number
        return number
    }
}
