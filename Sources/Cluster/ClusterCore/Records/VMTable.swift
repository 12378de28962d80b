// The records of all VMs, with the indices that find them: by name, by id, by the hosts that a VM concerns, and those
// that are being migrated.

import Model

struct VMTable {
    private var table: RecordTable<ClusterVMRecord>
    private var names: [VMID: VMName] = [:]
    /// VMs that a host's heartbeat may concern.
    private var concerned: [HostName: Set<VMID>] = [:]
    /// VMs with a migration: ordered, under way, or of unknown outcome.
    private var migrating: Set<VMID> = []

    init(_ records: some Sequence<ClusterVMRecord>) {
        table = RecordTable(records)
        for vm in table.all { addToIndices(vm: vm) }
    }

    subscript(name: VMName) -> ClusterVMRecord? { table[name] }
    subscript(id: VMID) -> ClusterVMRecord? { names[id].flatMap { table[$0] } }
    func recordName(of id: VMID) -> VMName? { names[id] }

    var count: Int { table.count }
    var all: some Collection<ClusterVMRecord> { table.all }
    var sortedNames: [VMName] { table.sortedNames }
    func recordNames(after name: VMName?) -> ArraySlice<VMName> { table.recordNames(after: name) }

    func identifiers(concerning host: HostName) -> Set<VMID> { concerned[host, default: []] }

    /// By name.
    func vmRecords(concerning host: HostName) -> [ClusterVMRecord] {
        concerned[host, default: []].compactMap { self[$0] }.sorted { $0.name < $1.name }
    }

    var migrationCount: Int { migrating.count }

    /// By name.
    var recordsWithMigration: [ClusterVMRecord] {
        migrating.compactMap { self[$0] }.sorted { $0.name < $1.name }
    }

    mutating func storeRecord(
        _ vm: ClusterVMRecord, in context: inout Context
    ) -> RecordChange<ClusterVMRecord>? {
        guard let change = table.storeRecord(vm, in: &context) else { return nil }
        if let before = change.before { removeFromIndices(vm: before) }
        addToIndices(vm: change.after)
        return change
    }

    mutating func removeRecord(of vm: ClusterVMRecord, in context: inout Context) {
        if let known = table[vm.name] { removeFromIndices(vm: known) }
        table.removeRecord(named: vm.name, in: &context)
    }

    private mutating func addToIndices(vm: ClusterVMRecord) {
        names[vm.id] = vm.name
        if vm.move != nil { migrating.insert(vm.id) }
        for host in vm.hostsConcerned { concerned[host, default: []].insert(vm.id) }
    }

    private mutating func removeFromIndices(vm: ClusterVMRecord) {
        names[vm.id] = nil
        migrating.remove(vm.id)
        for host in vm.hostsConcerned {
            concerned[host]?.remove(vm.id)
            if concerned[host]?.isEmpty ?? false { concerned[host] = nil }
        }
    }
}
