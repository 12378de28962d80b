// A store in memory, as fast as tests want it, that fails when it is told to.

import ClusterCore
import Foundation
import Host
import Model

actor MemoryStore: StateStore {
    /// What becomes of the next commits.
    enum Fault: Sendable {
        case none
        case fail(StoreError)
        /// Stored, but nobody is told.
        case storedThen(StoreError)
    }

    private struct Seat {
        var leader: Leader
        var end: Duration
        let lease: Duration
    }

    private var entries: [StoreKey: StoreEntry] = [:]
    private var log: [StoreBatch] = []
    private var forgotten = Revision.zero
    private var revision = Revision.zero
    private var seat: Seat?
    private var term: UInt64 = 0
    private var isClosed = false
    private var waiting: [UUID: CheckedContinuation<Void, Never>] = [:]
    private var faults: [Fault] = []
    private var renewalFault: StoreError?
    private(set) var commits = 0
    private var gate: CheckedContinuation<Void, Never>?
    private var isHeld = false
    private var heldCommit: CheckedContinuation<Void, Never>?

    // MARK: For tests

    func next(_ faults: Fault...) { self.faults += faults }
    func failRenewals(_ error: StoreError?) { renewalFault = error }
    var latest: Revision { revision }
    var bytes: [UInt8] { entries.values.flatMap(\.value) }
    func put(_ key: StoreKey, _ value: [UInt8]) {
        apply([.put(key, value)])
    }

    /// Somebody else leads from now on.
    func depose(by name: HostName) {
        term += 1
        let leader = Leader(
            candidate: Candidate(name: name, apiAddress: "127.0.0.1:9"), term: Term(term))
        seat = Seat(leader: leader, end: BootClock.now + .seconds(3600), lease: .seconds(3600))
    }

    /// The next commit waits until `release`.
    func hold() { isHeld = true }
    func waitForHeldCommit() async {
        if gate != nil { return }
        await withCheckedContinuation { heldCommit = $0 }
    }
    func release() {
        isHeld = false
        gate?.resume()
        gate = nil
    }

    // MARK: StateStore

    func readEntry(at key: StoreKey) throws(StoreError) -> StoreEntry? { entries[key] }

    func listEntries(prefix: String, after: StoreKey?, limit: Int) throws(StoreError) -> StorePage {
        let found = entries.values.filter {
            $0.key.text.hasPrefix(prefix) && (after == nil || $0.key > after ?? $0.key)
        }.sorted { $0.key < $1.key }
        return StorePage(
            entries: Array(found.prefix(limit)), revision: revision,
            isComplete: found.count <= limit)
    }

    func commitTransaction(_ transaction: StoreTransaction) async throws(StoreError) -> Revision {
        if isHeld {
            await withCheckedContinuation { waiting in
                gate = waiting
                heldCommit?.resume()
                heldCommit = nil
            }
        }
        commits += 1
        let fault = faults.isEmpty ? nil : faults.removeFirst()
        if case .fail(let error) = fault { throw error }
        if let term = transaction.term, seat?.leader.term != term {
            throw .deposed(seat?.leader.term ?? Term(self.term))
        }
        for condition in transaction.conditions {
            switch condition {
            case .absent(let key): if entries[key] != nil { throw .conflict(key) }
            case .unchanged(let key, let since):
                if entries[key]?.revision != since { throw .conflict(key) }
            }
        }
        apply(transaction.changes)
        if case .storedThen(let error) = fault { throw error }
        return revision
    }

    private func apply(_ changes: [StoreChange]) {
        revision = Revision(revision.number + 1)
        for change in changes {
            switch change {
            case .put(let key, let value):
                entries[key] = StoreEntry(key: key, value: value, revision: revision)
            case .delete(let key): entries[key] = nil
            }
        }
        log.append(StoreBatch(revision: revision, changes: changes))
        wake()
    }

    private func wake() {
        for waiter in waiting.values { waiter.resume() }
        waiting = [:]
    }

    func watchChanges(prefix: String, after: Revision) throws(StoreError) -> any StoreWatch {
        guard after >= forgotten else { throw .compacted(after: after) }
        return MemoryWatch(store: self, prefix: prefix, after: after)
    }

    /// Nil: nothing yet; it waited.
    fileprivate func batch(_ prefix: String, after: Revision) async throws(StoreError)
        -> StoreBatch?
    {
        guard !isClosed else { throw .closed }
        guard after >= forgotten else { throw .compacted(after: after) }
        if let next = log.first(where: { $0.revision > after }) {
            return StoreBatch(
                revision: next.revision,
                changes: next.changes.filter { $0.key.text.hasPrefix(prefix) })
        }
        let id = UUID()
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiting[id] = $0 }
        } onCancel: {
            Task { await self.forget(id) }
        }
        return nil
    }

    private func forget(_ id: UUID) { waiting.removeValue(forKey: id)?.resume() }

    func acquireLeadership(for candidate: Candidate, lease: Duration) async throws(StoreError)
        -> Leader
    {
        while true {
            guard !isClosed, !Task.isCancelled else { throw .closed }
            if seat.map({ $0.end < BootClock.now }) ?? true {
                term += 1
                let leader = Leader(candidate: candidate, term: Term(term))
                seat = Seat(leader: leader, end: BootClock.now + lease, lease: lease)
                return leader
            }
            // The lease's end is a matter of time.
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    func renewLeadership(of leader: Leader) throws(StoreError) {
        if let renewalFault { throw renewalFault }
        guard let seat, seat.leader.term == leader.term else {
            throw .deposed(self.seat?.leader.term ?? Term(term))
        }
        self.seat?.end = BootClock.now + seat.lease
    }

    func resignLeadership(of leader: Leader) throws(StoreError) {
        if seat?.leader.term == leader.term { seat = nil }
    }

    func currentLeader() throws(StoreError) -> Leader? {
        seat.flatMap { $0.end < BootClock.now ? nil : $0.leader }
    }

    func compactChanges(before revision: Revision) throws(StoreError) {
        log.removeAll { $0.revision < revision }
        forgotten = max(forgotten, Revision(max(revision.number, 1) - 1))
        wake()
    }

    func close() {
        isClosed = true
        wake()
    }
}

/// A reader of the log.
private actor MemoryWatch: StoreWatch {
    private let store: MemoryStore
    private let prefix: String
    private var after: Revision

    init(store: MemoryStore, prefix: String, after: Revision) {
        self.store = store
        self.prefix = prefix
        self.after = after
    }

    func nextBatch() async throws(StoreError) -> StoreBatch? {
        while !Task.isCancelled {
            let batch: StoreBatch?
            do throws(StoreError) { batch = try await store.batch(prefix, after: after) } catch {
                if case .closed = error { return nil }
                throw error
            }
            guard let batch else { continue }
            after = batch.revision
            if !batch.changes.isEmpty { return batch }
        }
        return nil
    }
}
