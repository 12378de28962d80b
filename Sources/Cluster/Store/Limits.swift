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

package enum Limits {
    // SQLite

    /// How long a commit waits for another process (a backup, `sqlite3`) to let go of the file.
    static let busyTimeout = 5.0
    /// How long the file's log may become, in pages of 4 KiB, before a commit brings it home, for which it has to wait.
    static let pagesPerCheckpoint = 4000
    /// Revisions that watchers can go back at most, also when nobody compacts.
    static let revisionsKept: Int64 = 10_000

    // Watches and lists

    /// Read at once; a revision that has more is read whole.
    static let changesPerRead = 1000
    /// Of values; the entry or revision that goes beyond it is read whole.
    static let bytesPerRead = 8 << 20

    // etcd

    /// For a connection, or to learn that there is none.
    static let connectTimeout = Duration.seconds(2)
    /// For an answer, from one of etcd's members.
    static let answerTimeout = Duration.seconds(5)
    /// How long an open watch of etcd may be silent before it is opened anew.
    package static let watchSilence = Duration.seconds(10)
    /// Watches beyond it wait for one to end.
    static let connectionsPerMember = 1024
    /// Shorter than etcd keeps idle connections.
    static let idleConnection = Duration.seconds(30)
    /// Between attempts to open a watch: the first, doubled each time, and the longest.
    static let reopenDelay = Duration.milliseconds(100)
    static let reopenDelayMax = Duration.seconds(1)
    /// A page that is longer is asked for again with fewer entries.
    static let answerBytesMax = 12 << 20
    /// One answer of a watch; etcd cuts them at about 2 MB, which is a third more in base64.
    static let watchLineBytesMax = 8 << 20
    /// Far more than a transaction can change.
    static let changesPerRevisionMax = 1 << 16
    /// How often a list is begun again because its revision was compacted while it was read.
    static let listAttempts = 5
    static let endpointsMax = 16
}
