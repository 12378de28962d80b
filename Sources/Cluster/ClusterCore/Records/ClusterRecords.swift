// All that the store keeps of a cluster, in memory: one table a kind, each with its indices.

import Model

struct ClusterRecords {
    var hosts = RecordTable<HostRecord>()
    var vms: VMTable
    var groups: RecordTable<GroupRecord>
    var operations: OperationTable
    var tokens: RecordTable<TokenRecord>
    private(set) var balance: BalanceRecord

    /// - Parameter settings: those of balance, where the store has none.
    init(records: [ClusterRecord], defaultBalance settings: BalanceSettings) {
        var sorted = SortedRecords(balance: BalanceRecord(settings: settings))
        for record in records { sorted.addRecord(record) }
        hosts = RecordTable(sorted.hosts)
        vms = VMTable(sorted.vms)
        groups = RecordTable(sorted.groups)
        operations = OperationTable(sorted.operations)
        tokens = RecordTable(sorted.tokens)
        balance = sorted.balance
    }

    mutating func storeBalanceSettings(_ settings: BalanceSettings, in context: inout Context) {
        guard settings != balance.settings else { return }
        balance.settings = settings
        balance.version += 1
        context.markRecordChanged(under: .balance)
    }

    /// What is to be stored under a key now; nil: it is to be removed.
    func storedRecord(under key: RecordKey) -> ClusterRecord? {
        switch key {
        case .host(let name): hosts[name].map { .host($0) }
        case .vm(let name): vms[name].map { .vm($0) }
        case .group(let name): groups[name].map { .group($0) }
        case .operation(let id): operations[id].map { .operation($0) }
        case .balance: .balance(balance)
        case .token(let name): tokens[name].map { .token($0) }
        }
    }
}

/// The store's records by kind.
private struct SortedRecords {
    var hosts: [HostRecord] = []
    var vms: [ClusterVMRecord] = []
    var groups: [GroupRecord] = []
    var operations: [OperationRecord] = []
    var tokens: [TokenRecord] = []
    var balance: BalanceRecord

    init(balance: BalanceRecord) { self.balance = balance }

    mutating func addRecord(_ record: ClusterRecord) {
        switch record {
        case .host(let host): hosts.append(host)
        case .vm(let vm): vms.append(vm)
        case .group(let group): groups.append(group)
        case .operation(let operation): operations.append(operation)
        case .balance(let balance): self.balance = balance
        case .token(let token): tokens.append(token)
        }
    }
}
