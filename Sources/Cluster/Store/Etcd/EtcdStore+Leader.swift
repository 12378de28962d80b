// Who leads: whoever made the leader's key, for as long as the lease lives that the key is bound to.
//
//   key is there ──watch──▶ deleted: by its owner, or by etcd at the lease's end ──▶ lease, put if absent ──▶ leads
//
// A lease is made only when the place is free: one that was not needed has nothing to outlive.

package import ClusterCore
import FoundationEssentials
import Model

extension EtcdStore {
    package func acquireLeadership(
        for candidate: Candidate, lease: Duration
    ) async throws(StoreError) -> Leader {
        do {
            while !Task.isCancelled {
                let range = try await leaderRange()
                if range.kvs?.isEmpty == false {
                    try await waitUntilNobodyLeads(after: range.revision)
                } else if let leader = try await tryCampaign(of: candidate, lease: lease) {
                    return leader
                }
            }
        } catch {
            guard !Task.isCancelled else { throw .closed }
            throw error.storeError(afterEffect: .none)
        }
        throw .closed
    }

    /// Nil when another one was quicker. When it throws, the lease is revoked, or ends by itself.
    private func tryCampaign(
        of candidate: Candidate, lease: Duration
    ) async throws(EtcdFailure) -> Leader? {
        let seconds = lease.components.seconds + (lease.components.attoseconds > 0 ? 1 : 0)
        let grant: EtcdGrantAnswer = try await transport.sendRequest(
            path: "/v3/lease/grant",
            request: EtcdGrantRequest(seconds: EtcdNumber(UInt64(max(1, seconds)))))
        do {
            if let leader = try await putLeaderKey(for: candidate, lease: grant.id) {
                return leader
            }
        } catch {
            await revokeUncancelled(lease: grant.id)
            throw error
        }
        await revokeUncancelled(lease: grant.id)
        return nil
    }

    private func putLeaderKey(
        for candidate: Candidate, lease: EtcdNumber
    ) async throws(EtcdFailure) -> Leader? {
        let value: Data
        do { value = try JSONEncoder().encode(candidate) } catch {
            throw .malformed("a candidate that cannot be written: \(error)")
        }
        let request = EtcdTransactionRequest(
            compare: [.compareCreation(of: keys.leader, at: 0)],
            success: [
                EtcdOperation(
                    requestPut: EtcdPutRequest(key: keys.leader, value: value, lease: lease))
            ])
        let answer: EtcdTransactionAnswer = try await transport.sendRequest(
            path: "/v3/kv/txn", request: request, effect: .change)
        guard answer.succeeded == true else { return nil }
        guard let revision = answer.header.revision else {
            throw .malformed("a transaction without a revision")
        }
        return Leader(candidate: candidate, term: Term(revision.value))
    }

    /// Also in a task that was cancelled: else the place would stay taken until the lease's end.
    private func revokeUncancelled(lease: EtcdNumber) async {
        await Task {
            // One that cannot be revoked ends by itself.
            let _: EtcdEmptyAnswer? = try? await transport.sendRequest(
                path: "/v3/lease/revoke", request: EtcdLeaseRequest(id: lease))
        }.value
    }

    /// Returns as soon as the key is deleted, and when that cannot be seen any more.
    private func waitUntilNobodyLeads(after revision: Revision) async throws(EtcdFailure) {
        let watch = EtcdWatch(store: self, range: keys.leaderRange, after: revision) {
            _, isDelete in
            isDelete ? .delete(leaderKey) : .put(leaderKey, [])
        }
        do {
            while let batch = try await watch.readNextBatch() {
                if batch.changes.contains(.delete(leaderKey)) { return }
            }
        } catch  where error == .compacted {}
    }

    private func leaderRange() async throws(EtcdFailure) -> EtcdRangeAnswer {
        try await readRange(request: EtcdRangeRequest(key: keys.leader))
    }

    package func renewLeadership(of leader: Leader) async throws(StoreError) {
        try checkOutcomesKnown(in: leader.term)
        do {
            guard let lease = try await heldLease(of: leader) else {
                throw StoreError.deposed(leader.term)
            }
            let answer: EtcdKeepAliveAnswer = try await transport.sendRequest(
                path: "/v3/lease/keepalive", request: EtcdLeaseRequest(id: lease))
            guard answer.isAlive else { throw StoreError.deposed(leader.term) }
        } catch let failure as EtcdFailure {
            throw failure.storeError(afterEffect: .none)
        } catch { throw error as? StoreError ?? .unusable(reason: "\(error)") }
    }

    package func resignLeadership(of leader: Leader) async throws(StoreError) {
        do {
            guard let lease = try await heldLease(of: leader) else { return }
            let _: EtcdEmptyAnswer = try await transport.sendRequest(
                path: "/v3/lease/revoke", request: EtcdLeaseRequest(id: lease))
        } catch {
            // It ended by itself meanwhile.
            if case .refused(EtcdCode.notFound, _) = error { return }
            throw error.storeError(afterEffect: .none)
        }
    }

    /// Nil when somebody else leads, or nobody.
    private func heldLease(of leader: Leader) async throws(EtcdFailure) -> EtcdNumber? {
        guard let key = try await leaderRange().kvs?.first,
            key.createRevision?.value == leader.term.number
        else { return nil }
        return key.lease
    }

    package func currentLeader() async throws(StoreError) -> Leader? {
        do {
            return try await leaderRange().decodeLeader()
        } catch { throw error.storeError(afterEffect: .none) }
    }
}

/// What a watch of the leader's key calls it.
private let leaderKey = StoreKey("leader")

extension EtcdRangeAnswer {
    /// Of the leader's key alone; nil when it is not there.
    package func decodeLeader() throws(EtcdFailure) -> Leader? {
        guard let key = kvs?.first else { return nil }
        guard let term = key.createRevision?.value,
            let candidate = try? JSONDecoder().decode(Candidate.self, from: key.value ?? Data())
        else { throw .malformed("the leader's key holds no leader") }
        return Leader(candidate: candidate, term: Term(term))
    }
}
