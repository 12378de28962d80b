// Every bound of this target.

/// What one transaction can hold, in every store alike: whoever has more to write makes several.
package enum TransactionBounds {
    /// What etcd takes as it is delivered: 64 inner transactions of 64 changes each.
    package static let changesMax = 64 * EtcdBounds.changesPerInnerTransaction
    /// One less than etcd compares beside that: one is the leader's term.
    package static let conditionsMax = 63
    package static let valueBytesMax = 512 << 10
    /// Keys and values together. etcd takes 1.5 MiB, with the words around them.
    package static let bytesMax = 1 << 20
}

/// etcd refuses transactions of more than 128 operations; the levels of nested ones share them.
enum EtcdBounds {
    static let changesPerInnerTransaction = 64
}

enum Limits {
    // SQLite

    /// How long a commit waits for another process (a backup, `sqlite3`) to let go of the file.
    static let busyTimeout = 5.0
    /// Revisions that watchers can go back at most, also when nobody compacts.
    static let revisionsKept: Int64 = 10_000

    // Watches and lists

    /// Read at once; a revision that has more is read whole.
    static let changesPerRead = 1000
    /// Of values; the entry or revision that goes beyond it is read whole.
    static let bytesPerRead = 8 << 20
}
