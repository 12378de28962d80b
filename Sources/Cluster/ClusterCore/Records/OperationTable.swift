// The records of all operations. Progress is kept here at once and stored later: see `Cluster+Operations`.

import Model

struct OperationTable {
    private var records: [OperationID: OperationRecord]

    init(_ records: some Sequence<OperationRecord>) {
        self.records = Dictionary(records.map { ($0.id, $0) }) { _, last in last }
    }

    subscript(id: OperationID) -> OperationRecord? { records[id] }

    /// The operations that are not over, the oldest first.
    var underWay: [OperationRecord] {
        records.values.filter { !$0.isOver }.sorted(by: OperationRecord.isOlderOperation(_:than:))
    }

    var newestFirst: [OperationRecord] {
        records.values.sorted { OperationRecord.isOlderOperation($1, than: $0) }
    }

    /// The first one under way that matches.
    func firstUnderWay(where matches: (OperationRecord) -> Bool) -> OperationRecord? {
        records.values.first { !$0.isOver && matches($0) }
    }

    /// Keeps a record without storing it.
    mutating func replaceRecord(_ run: OperationRecord) { records[run.id] = run }

    /// Stores what is known of an operation now.
    mutating func storeRecord(withID id: OperationID, in context: inout Context) {
        guard records[id] != nil else { return }
        records[id]?.version += 1
        context.markRecordChanged(under: .operation(id))
    }

    /// Removes the oldest of those that are over, when there are more than `limit`.
    mutating func removeOldEnded(keeping limit: Int, in context: inout Context) {
        let ended = records.values.filter(\.isOver)
        for run in ended.sorted(by: OperationRecord.isOlderOperation(_:than:)).prefix(
            max(0, ended.count - limit))
        {
            records[run.id] = nil
            context.markRecordChanged(under: .operation(run.id))
        }
    }
}
