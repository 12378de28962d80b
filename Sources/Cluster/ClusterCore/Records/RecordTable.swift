// Records of one kind, by name and in the order of their names.

import Model

/// A record that the store keeps under a name of its own.
protocol NamedRecord: Equatable {
    associatedtype RecordName: Hashable, Comparable
    var name: RecordName { get }
    var version: Version { get set }
    static func recordKey(named name: RecordName) -> RecordKey
}

struct RecordChange<Record> {
    var before: Record?
    var after: Record
}

struct RecordTable<Record: NamedRecord> {
    private var records: [Record.RecordName: Record] = [:]
    private var names = SortedNames<Record.RecordName>()

    init() {}

    /// As the store has them.
    init(_ records: some Sequence<Record>) {
        self.records = Dictionary(records.map { ($0.name, $0) }) { _, last in last }
        names = SortedNames(self.records.keys)
    }

    subscript(name: Record.RecordName) -> Record? { records[name] }
    var count: Int { records.count }
    var all: some Collection<Record> { records.values }
    var sortedNames: [Record.RecordName] { names.items }

    func recordNames(after name: Record.RecordName?) -> ArraySlice<Record.RecordName> {
        names.remainingNames(after: name)
    }

    /// Stores a new or changed record with its next version.
    /// - Returns: nil when nothing changed.
    mutating func storeRecord(_ record: Record, in context: inout Context) -> RecordChange<Record>?
    {
        let before = records[record.name]
        guard before != record else { return nil }
        var record = record
        record.version = (before?.version ?? 0) + 1
        records[record.name] = record
        if before == nil { names.insertName(record.name) }
        context.markRecordChanged(under: Record.recordKey(named: record.name))
        return RecordChange(before: before, after: record)
    }

    mutating func removeRecord(named name: Record.RecordName, in context: inout Context) {
        guard records.removeValue(forKey: name) != nil else { return }
        names.removeName(name)
        context.markRecordChanged(under: Record.recordKey(named: name))
    }
}

extension HostRecord: NamedRecord {
    static func recordKey(named name: HostName) -> RecordKey { .host(name) }
}

extension ClusterVMRecord: NamedRecord {
    static func recordKey(named name: VMName) -> RecordKey { .vm(name) }
}

extension GroupRecord: NamedRecord {
    var name: String { group.name }
    static func recordKey(named name: String) -> RecordKey { .group(name) }
}

extension TokenRecord: NamedRecord {
    static func recordKey(named name: String) -> RecordKey { .token(name) }
}
