// What every store refuses before it asks its disk or its server.

import ClusterCore

extension StoreTransaction {
    /// Throws `tooLarge`; traps when a key is changed twice, which no caller may do.
    func checkBounds() throws(StoreError) {
        try checkCount(
            changes.count, named: "changes of a transaction", limit: TransactionBounds.changesMax)
        try checkCount(
            conditions.count, named: "conditions of a transaction",
            limit: TransactionBounds.conditionsMax)
        var bytes = 0
        for change in changes {
            bytes += change.key.text.utf8.count
            guard case .put(_, let value) = change else { continue }
            try checkCount(
                value.count, named: "bytes of a value", limit: TransactionBounds.valueBytesMax)
            bytes += value.count
        }
        try checkCount(bytes, named: "bytes of a transaction", limit: TransactionBounds.bytesMax)
        precondition(
            Set(changes.lazy.map(\.key)).count == changes.count,
            "a transaction that changes a key twice")
    }
}

private func checkCount(_ count: Int, named what: String, limit max: Int) throws(StoreError) {
    guard count <= max else { throw .tooLarge(what, max: max) }
}

/// The keys that begin with a prefix, as bounds: from `first`, up to and without `end`.
struct KeyRange: Hashable, Sendable {
    let first: String
    let end: String

    /// - Parameter prefix: of the characters that keys are made of.
    init(prefix: String) {
        first = prefix
        // Keys are of ASCII below DEL, so the character after a prefix's last one is above all keys with that prefix.
        guard let last = prefix.unicodeScalars.last, let next = Unicode.Scalar(last.value + 1)
        else {
            end = "\u{7F}"
            return
        }
        end = String(prefix.unicodeScalars.dropLast()) + String(Character(next))
    }
}
