// Terms: of all who were elected, only the last can change anything.

import ClusterCore
import Store
import Testing

private let lease = Duration.seconds(30)

let leaderChecks: [Check] = [
    Check("Nobody leads at first; who is elected leads, and writes under its term") { place in
        let store = try await place.open()
        #expect(try await store.currentLeader() == nil)
        let leader = try await store.acquireLeadership(for: candidate("a"), lease: lease)
        #expect(try leader.candidate == candidate("a"))
        #expect(try await store.currentLeader() == leader)
        try await store.renewLeadership(of: leader)
        try await store.commit(.put("a", "1"), term: leader.term)
        #expect(try await store.texts("") == ["a=1"])
    },
    Check("Who resigned leads no more, and can change nothing") { place in
        let store = try await place.open()
        let leader = try await store.acquireLeadership(for: candidate("a"), lease: lease)
        try await store.resignLeadership(of: leader)
        try await store.resignLeadership(of: leader)
        #expect(try await store.currentLeader() == nil)
        try await expectDeposed(leader, store)
    },
    Check("The next leader has a greater term, and the one before can change nothing") { place in
        let (first, second) = (try await place.open(), try await place.open())
        let old = try await first.acquireLeadership(for: candidate("a"), lease: lease)
        try await first.commit(.put("a", "1"), term: old.term)
        try await first.resignLeadership(of: old)
        let new = try await second.acquireLeadership(for: candidate("b"), lease: lease)
        #expect(new.term > old.term)
        #expect(try await first.currentLeader() == new)
        try await expectDeposed(old, first)
        try await expectDeposed(old, second)
        // Resigning from what it lost takes nothing from the one who leads.
        try await first.resignLeadership(of: old)
        try await second.renewLeadership(of: new)
        try await second.commit(.put("a", "2"), term: new.term)
        #expect(try await first.texts("") == ["a=2"])
    },
    Check("A deposed writer is told so, even when its conditions do not hold either") { place in
        let store = try await place.open()
        let old = try await store.acquireLeadership(for: candidate("a"), lease: lease)
        try await store.commit(.put("a", "1"), term: old.term)
        try await store.resignLeadership(of: old)
        await #expect(throws: StoreError.deposed(old.term)) {
            try await store.commit(
                .put("a", "2"), when: [.absent(StoreKey("a"))], term: old.term)
        }
    },
    Check("Terms never come again, not even after a restart") { place in
        var store = try await place.open()
        var last = Term(0)
        for _ in 0..<3 {
            let leader = try await store.acquireLeadership(for: candidate("a"), lease: lease)
            #expect(leader.term > last)
            last = leader.term
            try await store.resignLeadership(of: leader)
            store = try await place.reopen()
            #expect(try await store.currentLeader() == nil)
        }
    },
    Check("Leadership is no entry: no list and no watch shows it") { place in
        let store = try await place.open()
        let start = try await store.present()
        let watch = try await store.watchChanges(prefix: "", after: start)
        let leader = try await store.acquireLeadership(for: candidate("a"), lease: lease)
        try await store.commit(.put("leader", "mine"), term: leader.term)
        #expect(try await store.texts("") == ["leader=mine"])
        #expect(try await watch.nextBatch()?.changes == [.put("leader", "mine")])
        try await store.renewLeadership(of: leader)
        #expect(try await store.currentLeader() == leader)
    },
]

/// It can neither write nor renew.
func expectDeposed(_ leader: Leader, _ store: any StateStore) async throws {
    await #expect(throws: StoreError.deposed(leader.term)) {
        try await store.commit(.put("from-the-past", ""), term: leader.term)
    }
    await #expect(throws: StoreError.deposed(leader.term)) {
        try await store.renewLeadership(of: leader)
    }
    let written = try await store.readEntry(at: StoreKey("from-the-past"))
    #expect(written == nil)
}
