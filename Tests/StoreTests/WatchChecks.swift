// Watches: every change, once, in order, whole commits.

import ClusterCore
import Store
import Testing

let watchChecks: [Check] = [
    Check("A watch tells every commit since its start, whole and in order") { place in
        let store = try await place.open()
        let start = try await store.present()
        let other = try await place.open()
        let first = try await store.commit(.put("a", "1"), .put("b", "1"))
        let watch = try await store.watchChanges(prefix: "", after: start)
        let second = try await other.commit(.delete("a"), .put("c", "1"))
        let third = try await other.commit(.put("b", "2"))
        let batches = try await watch.next(3)
        #expect(batches.map(\.revision) == [first, second, third])
        #expect(
            batches.map { Set($0.changes) } == [
                [.put("a", "1"), .put("b", "1")], [.delete("a"), .put("c", "1")],
                [.put("b", "2")],
            ])
    },
    Check("A watch waits for what comes, and wakes at once") { place in
        let store = try await place.open()
        let revision = try await store.commit(.put("a", "0"))
        let watch = try await store.watchChanges(prefix: "", after: revision)
        let clock = ContinuousClock()
        for count in 1...5 {
            let waiting = Task { try await watch.nextBatch() }
            let took = try await clock.measure {
                try await store.commit(.put("a", "\(count)"))
                let batch = try await waiting.value
                #expect(batch?.changes == [.put("a", "\(count)")])
            }
            #expect(took < .seconds(1))
        }
    },
    Check("A watch of a prefix tells of nothing else") { place in
        let store = try await place.open()
        let start = try await store.present()
        let watch = try await store.watchChanges(prefix: "vms/", after: start)
        try await store.commit(.put("hosts/a", "1"))
        try await store.commit(.put("vms0", "1"), .put("vm", "1"))
        let revision = try await store.commit(.put("vms/a", "1"), .put("hosts/b", "1"))
        #expect(
            try await watch.nextBatch()
                == StoreBatch(revision: revision, changes: [.put("vms/a", "1")]))
    },
    Check("A watch goes on from any revision, after a restart as well") { place in
        var store = try await place.open()
        var revisions: [Revision] = []
        for count in 0..<6 { revisions.append(try await store.commit(.put("a", "\(count)"))) }
        for start in 0..<6 {
            let watch = try await store.watchChanges(prefix: "", after: revisions[start])
            #expect(
                try await watch.next(5 - start).map(\.revision) == Array(revisions[(start + 1)...]))
        }
        store = try await place.reopen()
        let watch = try await store.watchChanges(prefix: "", after: revisions[3])
        #expect(try await watch.next(2).map(\.revision) == Array(revisions[4...]))
        revisions.append(try await store.commit(.put("a", "6")))
        #expect(try await watch.nextBatch()?.revision == revisions[6])
    },
    Check("From a list and the watch after it, all is known") { place in
        let store = try await place.open()
        let writer = Task {
            let other = try await place.open()
            for count in 0..<60 { try await other.commit(.put("n/\(count % 7)", "\(count)")) }
        }
        try await store.commit(.put("n/start", ""))
        let page = try await store.listAllEntries(prefix: "n/")
        var known = Dictionary(uniqueKeysWithValues: page.entries.map { ($0.key, $0.value) })
        let watch = try await store.watchChanges(prefix: "n/", after: page.revision)
        try await writer.value
        try await store.commit(.put("n/end", ""))
        while known[StoreKey("n/end")] == nil, let batch = try await watch.nextBatch() {
            for case .put(let key, let value) in batch.changes { known[key] = value }
        }
        let last = try await store.listAllEntries(prefix: "n/")
        #expect(known == Dictionary(uniqueKeysWithValues: last.entries.map { ($0.key, $0.value) }))
    },
    Check("A long backlog comes whole, commit by commit") { place in
        let store = try await place.open()
        let start = try await store.present()
        var revisions: [Revision] = []
        for round in 0..<6 {
            let changes = (0..<700).map { StoreChange.put("n/\($0)", "\(round)") }
            revisions.append(
                try await store.commit(all: changes))
        }
        let batches = try await store.watchChanges(prefix: "n/", after: start).next(6)
        #expect(batches.map(\.revision) == revisions)
        #expect(batches.map(\.changes.count) == Array(repeating: 700, count: 6))
    },
    Check("A watch from before a compaction is told so; one from after it misses nothing") {
        place in
        let store = try await place.open()
        var revisions: [Revision] = []
        for count in 0..<3 { revisions.append(try await store.commit(.put("a", "\(count)"))) }
        revisions.append(try await store.commit(.delete("a")))
        revisions.append(try await store.commit(.put("b", "1")))
        try await store.compactChanges(before: revisions[3])
        try await store.compactChanges(before: revisions[2])
        try await store.compactChanges(before: .zero)
        await #expect(throws: StoreError.compacted(after: revisions[1])) {
            _ = try await store.watchChanges(prefix: "", after: revisions[1]).nextBatch()
        }
        let watch = try await store.watchChanges(prefix: "", after: revisions[2])
        #expect(
            try await watch.next(2) == [
                StoreBatch(revision: revisions[3], changes: [.delete("a")]),
                StoreBatch(revision: revisions[4], changes: [.put("b", "1")]),
            ])
        #expect(try await store.texts("") == ["b=1"])
    },
    Check("Compacting what is to come compacts all there is") { place in
        let store = try await place.open()
        let first = try await store.commit(.put("a", "1"))
        let second = try await store.commit(.put("a", "2"))
        try await store.compactChanges(before: Revision(.max))
        await #expect(throws: StoreError.compacted(after: first)) {
            _ = try await store.watchChanges(prefix: "", after: first).nextBatch()
        }
        let watch = try await store.watchChanges(prefix: "", after: second)
        let third = try await store.commit(.put("a", "3"))
        #expect(try await watch.nextBatch()?.revision == third)
    },
    Check("A revision that the store has not reached is as unknown as a compacted one") { place in
        let store = try await place.open()
        let revision = try await store.commit(.put("a", "1"))
        for ahead in [Revision(revision.number + 1000), Revision(.max)] {
            await #expect(throws: StoreError.compacted(after: ahead)) {
                _ = try await store.watchChanges(prefix: "", after: ahead).nextBatch()
            }
        }
    },
    Check("Two watches each get all; a cancelled one ends") { place in
        let store = try await place.open()
        let start = try await store.present()
        let watches = [
            try await store.watchChanges(prefix: "", after: start),
            try await store.watchChanges(prefix: "", after: start),
        ]
        let cancelled = Task {
            let watch = try await store.watchChanges(prefix: "", after: start)
            while try await watch.nextBatch() != nil {}
        }
        for count in 0..<5 { try await store.commit(.put("a", "\(count)")) }
        for watch in watches {
            #expect(
                try await watch.next(5).flatMap(\.changes)
                    == (0..<5).map { StoreChange.put("a", "\($0)") })
        }
        cancelled.cancel()
        try await cancelled.value
    },
]

extension StoreWatch {
    /// The next so many; fewer when it ends.
    func next(_ count: Int) async throws -> [StoreBatch] {
        var batches: [StoreBatch] = []
        while batches.count < count, let batch = try await nextBatch() { batches.append(batch) }
        return batches
    }
}
