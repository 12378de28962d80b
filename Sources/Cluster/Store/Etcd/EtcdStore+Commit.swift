// A commit is one of etcd's transactions. etcd takes no more than 128 operations in a list, but transactions inside of
// transactions: a larger one is cut into inner ones without conditions of their own, made with it or not at all.

package import ClusterCore
import FoundationEssentials

extension EtcdStore {
    /// The outcome of one whose task is cancelled is unknown. After an unknown outcome its term is over.
    package func commitTransaction(_ transaction: StoreTransaction) async throws(StoreError)
        -> Revision
    {
        try transaction.checkBounds()
        if let term = transaction.term { try checkOutcomesKnown(in: term) }
        let answer: EtcdTransactionAnswer
        do {
            answer = try await transport.sendRequest(
                path: "/v3/kv/txn", request: transactionRequest(for: transaction), effect: .change)
        } catch {
            let outcome = error.storeError(afterEffect: .change)
            if case .outcomeUnknown = outcome, let term = transaction.term {
                markInDoubt(upTo: term)
            }
            throw outcome
        }
        if answer.succeeded == true, let revision = answer.header.revision {
            return Revision(revision.value)
        }
        guard answer.succeeded != true else {
            throw .outcomeUnknown(reason: "etcd did not tell the revision")
        }
        do { throw try refusalError(of: transaction, in: answer) } catch let failure as EtcdFailure
        {
            // It said that nothing was done.
            throw failure.storeError(afterEffect: .none)
        } catch { throw error as? StoreError ?? .unusable(reason: "\(error)") }
    }

    private func transactionRequest(for transaction: StoreTransaction) -> EtcdTransactionRequest {
        let operations = transaction.changes.map(requestOperation)
        let limit = EtcdBounds.changesPerInnerTransaction
        return EtcdTransactionRequest(
            compare: comparisons(for: transaction),
            success: operations.count <= limit
                ? operations
                : stride(from: 0, to: operations.count, by: limit).map { start in
                    let part = operations[start..<min(start + limit, operations.count)]
                    return EtcdOperation(
                        requestTxn: EtcdTransactionRequest(success: Array(part)))
                },
            failure: comparedKeys(of: transaction).map { .revisions(of: $0) })
    }

    private func requestOperation(for change: StoreChange) -> EtcdOperation {
        switch change {
        case .put(let key, let value):
            EtcdOperation(
                requestPut: EtcdPutRequest(key: keys.encodedKey(for: key), value: Data(value)))
        case .delete(let key):
            EtcdOperation(requestDeleteRange: EtcdDeleteRequest(key: keys.encodedKey(for: key)))
        }
    }

    private func comparisons(for transaction: StoreTransaction) -> [EtcdCompare] {
        let term = transaction.term.map {
            EtcdCompare.compareCreation(of: keys.leader, at: $0.number)
        }
        let conditions = transaction.conditions.map { condition in
            switch condition {
            case .absent(let key): EtcdCompare.compareCreation(of: keys.encodedKey(for: key), at: 0)
            case .unchanged(let key, .zero):
                // To etcd a key that is not there was changed at 0; here that holds for no key.
                EtcdCompare.compareChange(of: keys.encodedKey(for: key), at: .max)
            case .unchanged(let key, let since):
                EtcdCompare.compareChange(of: keys.encodedKey(for: key), at: since.number)
            }
        }
        return (term.map { [$0] } ?? []) + conditions
    }

    private func comparedKeys(of transaction: StoreTransaction) -> [Data] {
        (transaction.term == nil ? [] : [keys.leader])
            + transaction.conditions.map { keys.encodedKey(for: $0.key) }
    }

    /// Which comparison failed, by what etcd found in the place of the changes.
    private func refusalError(
        of transaction: StoreTransaction, in answer: EtcdTransactionAnswer
    ) throws(EtcdFailure) -> StoreError {
        var found = try answer.ranges(expecting: comparedKeys(of: transaction).count)[...]
        if let term = transaction.term,
            found.popFirst()?.kvs?.first?.createRevision?.value != term.number
        {
            return .deposed(term)
        }
        for (condition, range) in zip(transaction.conditions, found) {
            let revision = range.kvs?.first?.modRevision.map { Revision($0.value) }
            let holds =
                switch condition {
                case .absent: revision == nil
                case .unchanged(_, let since): revision == since
                }
            if !holds { return .conflict(condition.key) }
        }
        throw .malformed("a transaction that was refused for no reason")
    }
}
