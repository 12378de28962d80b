// A watch that goes on over lost connections, at another member when need be, from where it was.
//
//   open ──lines──▶ grouper ──▶ batches
//    ▲                │ lost, silent: what has changed since the position?
//    └──── delay ◀────┘
//
// Invariant: what was given out, and what `grouper.position` has passed, is never given out again; nothing after it is
// left out.

package import ClusterCore
import FoundationEssentials
import Model

extension EtcdStore {
    package func watchChanges(
        prefix: String, after: Revision
    ) async throws(StoreError) -> any StoreWatch {
        let present: Revision
        do { present = try await presentRevision() } catch {
            throw error.storeError(afterEffect: .none)
        }
        // What lies ahead of this etcd comes from another one, of which nothing is known here.
        guard after <= present else { throw .compacted(after: after) }
        let keys = self.keys
        return EtcdWatch(store: self, range: keys.etcdRange(prefix: prefix), after: after) {
            keyValue, isDelete in
            keys.decodedStoreKey(from: keyValue.key).map { key in
                isDelete ? .delete(key) : .put(key, [UInt8](keyValue.value ?? Data()))
            }
        }
    }
}

/// Of one reader.
actor EtcdWatch: StoreWatch {
    private let store: EtcdStore
    private let range: EtcdRange
    private let change: @Sendable (EtcdKeyValue, Bool) -> StoreChange?
    private var grouper: RevisionGrouper
    private var stream: EtcdStream?
    /// Of one answer, whole and not yet given out.
    private var batches: ArraySlice<StoreBatch> = []
    /// Attempts to open a stream since something came.
    private var failures = 0
    /// The number of the member to ask.
    private var member: Int

    /// - Parameter change: what an event says to whoever watches; nil for a key that was not asked for.
    init(
        store: EtcdStore, range: EtcdRange, after: Revision,
        change: @escaping @Sendable (EtcdKeyValue, Bool) -> StoreChange?
    ) {
        self.store = store
        self.range = range
        self.change = change
        grouper = RevisionGrouper(after: after)
        member = store.transport.firstMember
    }

    func nextBatch() async throws(StoreError) -> StoreBatch? {
        do { return try await readNextBatch() } catch {
            guard error != .compacted else { throw .compacted(after: grouper.position) }
            throw error.storeError(afterEffect: .none)
        }
    }

    /// Throws only what trying again does not mend.
    func readNextBatch() async throws(EtcdFailure) -> StoreBatch? {
        while !Task.isCancelled, !store.transport.isClosed {
            if let batch = batches.popFirst() { return batch }
            do { try await receiveLine() } catch { try await recoverStream(from: error) }
        }
        return nil
    }

    private func receiveLine() async throws(EtcdFailure) {
        var stream = try await openStream()
        self.stream = nil
        guard let line = try await stream.nextWatchLine(isolation: self) else {
            throw .lost("the stream ended")
        }
        let answer = try EtcdWatchAnswer.decodeAnswer(from: line)
        batches = try grouper.addWatchAnswer(answer, change: change)[...]
        self.stream = stream
        failures = 0
    }

    private func openStream() async throws(EtcdFailure) -> EtcdStream {
        if let stream { return stream }
        // From the last that is known on, though that is told again: only so does etcd say that changes between it and the
        // next were compacted. 0 would mean from now on.
        let start = EtcdNumber(max(1, grouper.position.number))
        let request = EtcdWatchRequest(
            createRequest: .init(
                key: range.first, rangeEnd: range.end, startRevision: start))
        return try await store.transport.openStream(
            path: "/v3/watch", request: request, member: member)
    }

    private func recoverStream(from failure: EtcdFailure) async throws(EtcdFailure) {
        stream = nil
        grouper.discardOpenBatch()
        switch failure {
        case .malformed, .tooLong, .compacted: throw failure
        case .refused(let code, _) where EtcdCode.definite.contains(code): throw failure
        case .cancelled, .closed: return
        case .silent: await advanceIfNothingChanged()
        case .notSent, .lost, .refused:
            member += 1
            failures += 1
            let delay = Limits.reopenDelay * (1 << min(failures, 10))
            // A cancelled sleep ends the watch as well.
            try? await Task.sleep(for: min(delay, Limits.reopenDelayMax))
        }
    }

    /// A range in which nothing happens would stay behind until the compaction has overtaken it. If no key in it was put
    /// since the position, and there are as many as then, none was deleted either: so nothing has changed.
    private func advanceIfNothingChanged() async {
        guard let revision = await revisionIfNothingChanged() else {
            // There is something to tell that this member did not tell.
            member += 1
            return
        }
        grouper.advancePosition(to: revision)
    }

    private func revisionIfNothingChanged() async -> Revision? {
        // Read at 0 means now.
        guard grouper.position > .zero else { return nil }
        var put = EtcdRangeRequest(range: range)
        put.minModRevision = EtcdNumber(grouper.position.number + 1)
        put.limit = EtcdNumber(1)
        put.keysOnly = true
        var now = EtcdRangeRequest(range: range)
        now.countOnly = true
        var then = now
        then.revision = EtcdNumber(grouper.position.number)
        let request = EtcdTransactionRequest(success: [
            .rangeOperation(for: put), .rangeOperation(for: now), .rangeOperation(for: then),
        ])
        // When it cannot be told, the next stream tells what there is to know.
        guard
            let answer: EtcdTransactionAnswer = try? await store.transport.sendRequest(
                path: "/v3/kv/txn", request: request),
            let found = try? answer.ranges(expecting: 3), let revision = answer.header.revision,
            found[0].kvs?.isEmpty != false, found[1].count == found[2].count
        else { return nil }
        return Revision(revision.value)
    }
}

extension EtcdStream {
    fileprivate mutating func nextWatchLine(
        isolation: isolated (any Actor)
    ) async throws(EtcdFailure) -> [UInt8]? {
        do { return try await nextRawLine(isolation: isolation) } catch { throw EtcdFailure(error) }
    }
}
