// Entries: reading, writing, conditions, lists.

import ClusterCore
import Store
import Synchronization
import Testing

let entryChecks: [Check] = [
    Check("What was written is read, by its key and in lists") { place in
        let store = try await place.open()
        #expect(try await store.readEntry(at: StoreKey("vms/a")) == nil)
        #expect(try await store.listAllEntries(prefix: "").entries.isEmpty)
        let revision = try await store.commit(.put("vms/b", "2"), .put("vms/a", "1"))
        #expect(
            try await store.readEntry(at: StoreKey("vms/a"))
                == StoreEntry(key: StoreKey("vms/a"), value: [0x31], revision: revision))
        #expect(try await store.texts("") == ["vms/a=1", "vms/b=2"])
    },
    Check("Values are any bytes, also none") { place in
        let store = try await place.open()
        let all = (0...255).map { UInt8($0) }
        try await store.commit(.put(StoreKey("all"), all), .put(StoreKey("none"), []))
        #expect(try await store.readEntry(at: StoreKey("all"))?.value == all)
        #expect(try await store.readEntry(at: StoreKey("none"))?.value == [])
    },
    Check("Revisions grow with each commit; an entry has that of its last change") { place in
        let store = try await place.open()
        let first = try await store.commit(.put("a", "1"), .put("b", "1"))
        let second = try await store.commit(.put("a", "2"))
        #expect(Revision.zero < first)
        #expect(first < second)
        let page = try await store.listAllEntries(prefix: "")
        #expect(page.entries.map(\.revision) == [second, first])
        #expect(page.revision >= second)
    },
    Check("What is deleted is gone; deleting what is not there changes nothing") { place in
        let store = try await place.open()
        let first = try await store.commit(.put("a", "1"), .put("b", "1"))
        #expect(try await store.commit(.delete("nothing")) == first)
        #expect(try await store.commit() == first)
        #expect(try await store.commit(.delete("a"), .delete("nothing")) > first)
        #expect(try await store.texts("") == ["b=1"])
    },
    Check("A key that must be absent, or unchanged, refuses the whole transaction") { place in
        let store = try await place.open()
        let first = try await store.commit(.put("a", "1"), when: [.absent(StoreKey("a"))])
        let second = try await store.commit(.put("b", "1"))
        let refused: [StoreCondition] = [
            .absent(StoreKey("a")), .unchanged(StoreKey("a"), since: second),
            .unchanged(StoreKey("missing"), since: first),
            .unchanged(StoreKey("missing"), since: .zero),
        ]
        for condition in refused {
            await #expect(throws: StoreError.conflict(condition.key)) {
                try await store.commit(
                    .put("new", "1"), .delete("b"),
                    when: [.unchanged(StoreKey("b"), since: second), condition])
            }
        }
        #expect(try await store.texts("") == ["a=1", "b=1"])
        try await store.commit(
            .put("a", "2"), .delete("b"),
            when: [.unchanged(StoreKey("a"), since: first), .absent(StoreKey("c"))])
        #expect(try await store.texts("") == ["a=2"])
    },
    Check("A key that was deleted and made again is not unchanged") { place in
        let store = try await place.open()
        let first = try await store.commit(.put("a", "1"))
        try await store.commit(.delete("a"))
        try await store.commit(.put("a", "1"))
        await #expect(throws: StoreError.conflict(StoreKey("a"))) {
            try await store.commit(.put("a", "2"), when: [.unchanged(StoreKey("a"), since: first)])
        }
    },
    Check("Lists come page by page, in the order of keys") { place in
        let store = try await place.open()
        for key in ["vms/a", "vms/b-1", "vms/b.1", "vms/b", "vms0", "vm", "hosts/z"] {
            try await store.commit(.put(key, ""))
        }
        var keys: [[String]] = []
        var after: StoreKey?
        while keys.count < 5 {
            let page = try await store.listEntries(prefix: "vms/", after: after, limit: 2)
            keys.append(page.entries.map(\.key.text))
            after = page.entries.last?.key
            if page.isComplete { break }
        }
        #expect(keys == [["vms/a", "vms/b"], ["vms/b-1", "vms/b.1"]])
        #expect(
            try await store.listEntries(prefix: "vms/", after: StoreKey("vms/b.1"), limit: 2)
                .isComplete)
        #expect(
            try await store.listEntries(prefix: "nothing/", after: nil, limit: 2).entries.isEmpty)
    },
    Check("A list of all is of one moment, whatever others write") { place in
        let store = try await place.open()
        let other = try await place.open()
        let changes = (0..<1500).map { StoreChange.put("n/\(10_000 + $0)", "0") }
        try await store.commit(all: changes)
        // First and last key of the list always say the same.
        let isEnding = Flag()
        let writer = Task {
            var count = 0
            while !isEnding.isSet {
                count += 1
                try await other.commit(.put("n/10000", "\(count)"), .put("n/11499", "\(count)"))
            }
        }
        for _ in 0..<10 {
            let page = try await store.listAllEntries(prefix: "n/")
            #expect(page.entries.count == 1500)
            #expect(page.entries.first?.value == page.entries.last?.value)
            #expect(page.entries.allSatisfy { $0.revision <= page.revision })
        }
        isEnding.set()
        try await writer.value
    },
    Check("Of many who count at once, none loses a count") { place in
        let stores = [try await place.open(), try await place.open()]
        try await stores[0].commit(.put("count", "0"))
        let (tasks, each) = (8, 15)
        try await withThrowingTaskGroup { group in
            for index in 0..<tasks {
                group.addTask {
                    for _ in 0..<each { try await increment(StoreKey("count"), stores[index % 2]) }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await stores[0].text("count") == "\(tasks * each)")
    },
    Check("What was committed is there after a restart, and revisions go on") { place in
        var store = try await place.open()
        try await store.commit(.put("a", "1"), .put("b", "1"))
        let last = try await store.commit(.delete("b"))
        store = try await place.reopen()
        #expect(try await store.texts("") == ["a=1"])
        #expect(try await store.commit(.put("a", "2")) > last)
        #expect(try await store.texts("") == ["a=2"])
    },
    Check("A closed store says so") { place in
        let store = try await place.open()
        let start = try await store.present()
        let watch = try await store.watchChanges(prefix: "", after: start)
        let waiting = Task { try await watch.nextBatch() }
        await store.close()
        await store.close()
        #expect(try await waiting.value == nil)
        #expect(try await watch.nextBatch() == nil)
        await #expect(throws: StoreError.closed) { try await store.readEntry(at: StoreKey("a")) }
        await #expect(throws: StoreError.closed) { try await store.commit(.put("a", "1")) }
        await #expect(throws: StoreError.closed) {
            try await store.watchChanges(prefix: "", after: .zero)
        }
        await #expect(throws: StoreError.closed) {
            try await store.acquireLeadership(for: candidate("a"), lease: .seconds(5))
        }
    },
]

private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}

private func increment(_ key: StoreKey, _ store: any StateStore) async throws {
    var isCounted = false
    while !isCounted {
        let entry = try #require(try await store.readEntry(at: key))
        let count = try #require(Int(String(decoding: entry.value, as: UTF8.self)))
        let change = StoreChange.put(key, Array("\(count + 1)".utf8))
        isCounted = try await holds {
            try await store.commit(change, when: [.unchanged(key, since: entry.revision)])
        }
    }
}

/// False when somebody else was quicker.
private func holds(_ commit: () async throws -> Revision) async throws -> Bool {
    do {
        _ = try await commit()
        return true
    } catch let error as StoreError {
        guard case .conflict = error else { throw error }
        return false
    }
}
