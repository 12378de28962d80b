// What is too large, and what is as large as may be.

import ClusterCore
import Store
import Testing

let boundChecks: [Check] = [
    Check("The largest value is kept whole; a larger one is refused") { place in
        let store = try await place.open()
        let start = try await store.present()
        let key = StoreKey("large")
        var value = (0..<TransactionBounds.valueBytesMax).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let watch = try await store.watchChanges(prefix: "", after: start)
        try await store.commit(.put(key, value))
        #expect(try await store.readEntry(at: key)?.value == value)
        #expect(try await store.listAllEntries(prefix: "").entries.map(\.value) == [value])
        #expect(try await watch.nextBatch()?.changes == [.put(key, value)])
        value.append(0)
        await #expect(
            throws: StoreError.tooLarge("bytes of a value", max: TransactionBounds.valueBytesMax)
        ) { try await store.commit(.put(key, value)) }
    },
    Check("The largest transaction is made at once; a larger one is refused") { place in
        let store = try await place.open()
        let start = try await store.present()
        var changes = (0..<TransactionBounds.changesMax).map { StoreChange.put("n/\($0)", "\($0)") }
        let conditions = (0..<TransactionBounds.conditionsMax).map {
            StoreCondition.absent(StoreKey("n/\($0)"))
        }
        let leader = try await store.acquireLeadership(for: candidate("a"), lease: .seconds(30))
        let watch = try await store.watchChanges(prefix: "n/", after: start)
        let revision = try await store.commitTransaction(
            StoreTransaction(term: leader.term, conditions: conditions, changes: changes))
        let batch = try #require(try await watch.nextBatch())
        #expect(batch.revision == revision)
        #expect(Set(batch.changes) == Set(changes))
        #expect(try await store.listAllEntries(prefix: "n/").entries.count == changes.count)

        await #expect(throws: StoreError.conflict(StoreKey("n/0"))) {
            try await store.commitTransaction(
                StoreTransaction(term: nil, conditions: conditions, changes: changes))
        }
        changes.append(.delete("one-more"))
        await #expect(
            throws: StoreError.tooLarge(
                "changes of a transaction", max: TransactionBounds.changesMax)
        ) { try await store.commit(all: changes) }
        await #expect(
            throws: StoreError.tooLarge(
                "conditions of a transaction", max: TransactionBounds.conditionsMax)
        ) {
            try await store.commit(
                .delete("x"), when: conditions + [.absent(StoreKey("one-more"))])
        }
    },
    Check("As many bytes as may be in one transaction, and one more") { place in
        let store = try await place.open()
        let half = [UInt8](repeating: 7, count: TransactionBounds.bytesMax / 2 - 1)
        try await store.commit(.put(StoreKey("a"), half), .put(StoreKey("b"), half))
        #expect(try await store.listAllEntries(prefix: "").entries.map(\.value) == [half, half])
        await #expect(
            throws: StoreError.tooLarge("bytes of a transaction", max: TransactionBounds.bytesMax)
        ) { try await store.commit(.put(StoreKey("a"), half), .put(StoreKey("bb"), half)) }
    },
    Check("Pages and watches of large values come in pieces, and whole") { place in
        let store = try await place.open()
        let start = try await store.present()
        let value = [UInt8](repeating: 1, count: TransactionBounds.valueBytesMax)
        for index in 10..<38 { try await store.commit(.put(StoreKey("large/\(index)"), value)) }
        let page = try await store.listEntries(prefix: "large/", after: nil, limit: 1000)
        #expect(!page.isComplete)
        #expect((1..<28).contains(page.entries.count))
        let batches = try await store.watchChanges(prefix: "large/", after: start).next(28)
        #expect(
            batches.flatMap(\.changes) == (10..<38).map { .put(StoreKey("large/\($0)"), value) })
        #expect(
            try await store.listAllEntries(prefix: "large/").entries.map(\.value.count).reduce(0, +)
                == 28 << 19)
    },
]
