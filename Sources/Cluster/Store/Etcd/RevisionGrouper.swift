// Makes whole commits of etcd's watch answers, which may hold several, or a part of one.
//
//   fragments ──▶ open batch ──later revision, or the last fragment──▶ whole batches
//
// Pure. Invariant: batches come in ascending revisions, each once, none at or before `position`.

package import ClusterCore

package struct RevisionGrouper: Sendable {
    /// Everything up to here was given out, or was before the start.
    package private(set) var position: Revision
    /// The last revision of an answer whose end has not come.
    private var open: StoreBatch?

    package init(after position: Revision) { self.position = position }

    /// - Parameter change: what an event says to whoever watches.
    /// - Returns: the commits that are whole now.
    package mutating func addWatchAnswer(
        _ line: EtcdWatchAnswer, change: (EtcdKeyValue, Bool) -> StoreChange?
    ) throws(EtcdFailure) -> [StoreBatch] {
        guard let result = line.result else {
            throw .refused(
                code: line.error?.grpcCode ?? 0, message: line.error?.message ?? "no reason given")
        }
        if result.canceled == true {
            guard (result.compactRevision?.value ?? 0) == 0 else { throw .compacted }
            throw .lost(result.cancelReason ?? "the watch was cancelled")
        }
        var whole: [StoreBatch] = []
        for event in result.events ?? [] {
            try addWatchEvent(event, change: change, appendingTo: &whole)
        }
        if result.fragment != true {
            closeRevision(appendingTo: &whole)
            recordProgress(of: result)
        }
        return whole
    }

    private mutating func addWatchEvent(
        _ event: EtcdWatchAnswer.Event, change: (EtcdKeyValue, Bool) -> StoreChange?,
        appendingTo whole: inout [StoreBatch]
    ) throws(EtcdFailure) {
        guard let revision = event.kv.modRevision.map({ Revision($0.value) }),
            let change = change(event.kv, event.type == .delete)
        else { throw .malformed("an event of nothing that is watched") }
        // A watch begins with the last revision that is known, so as to learn when it is compacted.
        guard revision > position else { return }
        if let open, open.revision != revision {
            guard open.revision < revision else { throw .malformed("events out of order") }
            closeRevision(appendingTo: &whole)
        }
        if open == nil { open = StoreBatch(revision: revision, changes: []) }
        guard (open?.changes.count ?? 0) < Limits.changesPerRevisionMax else { throw .tooLong }
        open?.changes.append(change)
    }

    private mutating func closeRevision(appendingTo whole: inout [StoreBatch]) {
        guard let batch = open else { return }
        whole.append(batch)
        position = batch.revision
        open = nil
    }

    /// An answer without events, but to the opening, says that there is nothing up to its revision.
    private mutating func recordProgress(of result: EtcdWatchAnswer.Result) {
        guard result.events?.isEmpty != false, result.created != true,
            let revision = result.header.revision
        else { return }
        position = max(position, Revision(revision.value))
    }

    /// It is known in another way that nothing has changed up to there.
    mutating func advancePosition(to revision: Revision) {
        open = nil
        position = max(position, revision)
    }

    /// The answer that was not ended will not be: its stream broke.
    mutating func discardOpenBatch() { open = nil }
}
