// Where the leader is, for those who ask a controller that does not lead. The store knows; it is not asked each time.

package import ClusterCore
import Host

package actor LeaderCache {
    private let store: any StateStore
    private var leader: Leader?
    private var askedAt: Duration?

    package init(store: any StateStore) { self.store = store }

    /// Nil when nobody leads, or the store does not say.
    package func currentLeader() async -> Leader? {
        if let askedAt, BootClock.now - askedAt < Limits.leaderBelieved { return leader }
        askedAt = BootClock.now
        // A store that does not answer knows no leader either.
        leader = try? await store.currentLeader()
        return leader
    }
}
