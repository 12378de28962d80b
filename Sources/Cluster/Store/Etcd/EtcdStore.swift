// The store of several controllers: etcd 3.4 or newer, by the JSON gateway of its v3 API. Revisions are etcd's own.
//
//   commit ──▶ one transaction: compare the leader's key and the conditions, then put and delete
//   leader ──▶ one key, bound to a lease; its create revision is the term, which a later leader's is always above
//
// A commit without an answer may still be on its way, and be made long after its writer has read again: so its term is
// over for this client. Under the next one it can do nothing any more. All else is in etcd: any client can go on where
// another one stopped.

package import ClusterCore
import FoundationEssentials
package import Model
import Synchronization

package final class EtcdStore: StateStore {
    let keys: EtcdKeys
    let transport: EtcdTransport
    /// Up to this term, commits may still be on their way.
    private let lastTermInDoubt = Mutex(Term(0))

    /// Connects with the first call. Throws for keys that cannot be used.
    /// - Parameters:
    ///   - endpoints: "http://HOST:PORT" or "https://HOST:PORT" of etcd's members.
    ///   - cluster: others may use the same etcd.
    ///   - keysFolder: ca.pem, cert.pem and key.pem, for https.
    ///   - watchSilence: a watch in which nothing has come for so long is opened anew: a dead connection is silent too.
    package init(
        endpoints: [String], cluster: ClusterName, keysFolder: String? = nil,
        watchSilence: Duration = Limits.watchSilence
    ) throws(StoreError) {
        keys = EtcdKeys(cluster: cluster)
        transport = try EtcdTransport(
            endpoints: endpoints, keysFolder: keysFolder, watchSilence: watchSilence)
    }

    func markInDoubt(upTo term: Term) { lastTermInDoubt.withLock { $0 = max($0, term) } }

    func checkOutcomesKnown(in term: Term) throws(StoreError) {
        guard term > lastTermInDoubt.withLock({ $0 }) else { throw .deposed(term) }
    }

    package func close() async { await transport.close() }

    package func readEntry(at key: StoreKey) async throws(StoreError) -> StoreEntry? {
        do {
            let answer: EtcdRangeAnswer = try await readRange(
                request: EtcdRangeRequest(key: keys.encodedKey(for: key)))
            return try answer.kvs?.first?.storeEntry(using: keys)
        } catch { throw error.storeError(afterEffect: .none) }
    }

    package func listEntries(
        prefix: String, after: StoreKey?, limit: Int
    ) async throws(StoreError) -> StorePage {
        do { return try await readEntryPage(prefix: prefix, after: after, limit: limit) } catch {
            throw error.storeError(afterEffect: .none)
        }
    }

    package func listAllEntries(prefix: String) async throws(StoreError) -> StorePage {
        for _ in 0..<Limits.listAttempts {
            do { return try await readSnapshot(prefix: prefix) } catch {
                guard error == .compacted else { throw error.storeError(afterEffect: .none) }
            }
        }
        throw .unavailable(reason: "etcd compacts faster than a list can be read")
    }

    /// All pages as of the first one's revision.
    private func readSnapshot(prefix: String) async throws(EtcdFailure) -> StorePage {
        var whole = try await readEntryPage(prefix: prefix, limit: Limits.changesPerRead)
        while !whole.isComplete {
            let next = try await readEntryPage(
                prefix: prefix, after: whole.entries.last?.key, limit: Limits.changesPerRead,
                at: whole.revision)
            whole.entries += next.entries
            whole.isComplete = next.isComplete
        }
        return whole
    }

    /// With fewer entries than asked for when all of them are too much for one answer.
    private func readEntryPage(
        prefix: String, after: StoreKey? = nil, limit: Int, at revision: Revision? = nil
    ) async throws(EtcdFailure) -> StorePage {
        var request = EtcdRangeRequest(range: keys.etcdRange(prefix: prefix, after: after))
        request.revision = revision.map { EtcdNumber($0.number) }
        var limit = limit
        while true {
            request.limit = EtcdNumber(UInt64(limit))
            do { return try await readRange(request: request).storePage(using: keys) } catch {
                guard error == .tooLong, limit > 1 else { throw error }
                limit = max(1, min(limit, Limits.changesPerRead) / 4)
            }
        }
    }

    func readRange(request: EtcdRangeRequest) async throws(EtcdFailure) -> EtcdRangeAnswer {
        do { return try await transport.sendRequest(path: "/v3/kv/range", request: request) } catch
        {
            throw error.isCompacted ? .compacted : error
        }
    }

    /// etcd's revision now.
    func presentRevision() async throws(EtcdFailure) -> Revision {
        var request = EtcdRangeRequest(key: keys.leader)
        request.countOnly = true
        return try await readRange(request: request).revision
    }

    /// Of all that etcd holds, also of others.
    package func compactChanges(before revision: Revision) async throws(StoreError) {
        do {
            let target = min(try await presentRevision().number, max(revision.number, 1) - 1)
            guard target > 0 else { return }
            let _: EtcdEmptyAnswer = try await transport.sendRequest(
                path: "/v3/kv/compaction",
                request: EtcdCompactionRequest(revision: EtcdNumber(target)))
        } catch {
            // Somebody else has done it.
            guard !error.isCompacted else { return }
            throw error.storeError(afterEffect: .none)
        }
    }
}

extension EtcdFailure {
    /// etcd gives this code to revisions of the future as well.
    fileprivate var isCompacted: Bool {
        guard case .refused(EtcdCode.outOfRange, let message) = self else { return false }
        return message.contains("has been compacted")
    }
}
