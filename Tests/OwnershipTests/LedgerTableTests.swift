// What records add up to, which may follow which, and how questions are answered from them.

import Model
import Ownership
import Testing
import Wire

private let vm = Identifier128(high: 1, low: 1)
private let first = Identifier128(high: 2, low: 1)
private let second = Identifier128(high: 2, low: 2)

private func host(_ name: String) -> HostName {
    do { return try HostName(name) } catch { fatalError("\(error)") }
}

private func owned(_ epoch: UInt64, _ migration: MigrationID? = nil) -> LedgerRecord {
    .owned(vm: vm, epoch: Epoch(epoch), migration: migration)
}
private func released(_ epoch: UInt64, _ migration: MigrationID = first) -> LedgerRecord {
    .released(vm: vm, epoch: Epoch(epoch), to: host("b"), migration: migration)
}
private func handedOver(_ epoch: UInt64, _ migration: MigrationID = first) -> LedgerRecord {
    .handedOver(vm: vm, epoch: Epoch(epoch), to: host("b"), migration: migration)
}
private func incoming(_ epoch: UInt64, _ migration: MigrationID = first) -> LedgerRecord {
    .incoming(vm: vm, epoch: Epoch(epoch), from: host("a"), migration: migration)
}
private func neverRan(_ epoch: UInt64, _ migration: MigrationID = first) -> LedgerRecord {
    .neverRan(vm: vm, epoch: Epoch(epoch), migration: migration)
}
private func ruled(_ epoch: UInt64, _ migration: MigrationID = first) -> LedgerRecord {
    .takenOver(vm: vm, epoch: Epoch(epoch), against: host("b"), migration: migration)
}
private func overruled(_ epoch: UInt64) -> LedgerRecord {
    .superseded(vm: vm, epoch: Epoch(epoch), by: host("a"))
}
private func deleted(_ epoch: UInt64) -> LedgerRecord { .deleted(vm: vm, epoch: Epoch(epoch)) }

@Suite("Ledger book")
struct LedgerBookTests {
    private static let good: [[LedgerRecord]] = [
        [owned(1), released(2), handedOver(2)],
        [owned(1), released(2), owned(3), released(4), handedOver(4)],
        [incoming(2), owned(2, first), released(3), handedOver(3)],
        [incoming(2), neverRan(2), incoming(2, second), owned(2, second)],
        [incoming(2), incoming(2, second), owned(2, second)],
        [neverRan(2), incoming(4, second), owned(4, second)],
        [owned(1), released(2), handedOver(2), incoming(3, second), owned(3, second)],
        [owned(1), released(2), handedOver(7)],
        [owned(1), deleted(1), owned(2)],
        [owned(1), deleted(1), incoming(2)],
        [owned(1), released(2), ruled(3), owned(3), released(4)],
        [incoming(2), owned(2, first), overruled(3), deleted(3)],
        [incoming(2), overruled(3), incoming(4, second), owned(4, second)],
        [owned(1), owned(1)],
        [neverRan(2), neverRan(2)],
    ]

    @Test(arguments: good)
    func `Lives that may be`(_ records: [LedgerRecord]) throws {
        var book = LedgerTable()
        for record in records { try book.applyRecord(record) }
        #expect(book.ownerships[vm] == records.last.map { Ownership($0) })
    }

    /// The last record contradicts those before it.
    private static let bad: [[LedgerRecord]] = [
        [owned(1), owned(2)],
        [owned(1), released(1)],
        [owned(1), released(3)],
        [released(2)],
        [owned(1), released(2), owned(2)],
        [owned(1), released(2), released(2, second)],
        [owned(1), released(2), handedOver(1)],
        [owned(1), released(2), handedOver(2, second)],
        [owned(1), released(2), handedOver(2), owned(3)],
        [owned(1), incoming(2)],
        [owned(1), released(2), incoming(3)],
        [owned(1), neverRan(2)],
        [incoming(2), owned(2, second)],
        [incoming(2), owned(2)],
        [incoming(2), owned(3, first)],
        [owned(2, first)],
        [incoming(2), neverRan(2), owned(2, first)],
        [incoming(2), neverRan(2), incoming(2)],
        [incoming(2), owned(2, first), neverRan(2)],
        [incoming(4), incoming(3, second)],
        [neverRan(4), neverRan(2)],
        [owned(1), deleted(1), owned(1)],
        [owned(1), deleted(2)],
        [owned(1), released(2), deleted(2)],
        [owned(1), ruled(3)],
        [owned(1), released(2), ruled(2)],
        [owned(1), released(2), ruled(4)],
        [owned(1), released(2), ruled(3, second)],
        [owned(1), released(2), handedOver(2), ruled(3)],
        [owned(1), released(2), ruled(3), owned(4)],
        [owned(1), released(2), ruled(3), handedOver(2)],
        [owned(1), released(2), ruled(3), released(4)],
        [owned(1), released(2), ruled(3), deleted(3)],
        [overruled(3)],
        [incoming(2), owned(2, first), overruled(2)],
        [owned(1), released(2), overruled(3)],
        [incoming(2), overruled(3), owned(2, first)],
        [incoming(2), overruled(3), neverRan(2)],
        [incoming(2), overruled(3), incoming(3, second)],
    ]

    @Test(arguments: bad)
    func `Records that would make a second owner are refused`(_ records: [LedgerRecord]) throws {
        var book = LedgerTable()
        for record in records.dropLast() { try book.applyRecord(record) }
        let before = book
        let last = try #require(records.last)
        if case .owned(_, _, .some) = last, records.count == 1 {
            #expect(throws: LedgerContradiction.self) { try book.applyRecord(last) }
            return
        }
        #expect(throws: LedgerContradiction.self) { try book.applyRecord(last) }
        #expect(book == before)
    }

    /// Whose life here is over, and whose is not.
    private static let ended = [
        [owned(1), deleted(1)], [incoming(2), neverRan(2)],
        [owned(1), released(2), handedOver(2)], [incoming(2), overruled(3)],
    ]
    private static let goingOn = [
        [owned(1)], [owned(1), released(2)], [incoming(2)],
        [owned(1), released(2), ruled(3)],
    ]

    @Test(arguments: ended)
    func `A life that ended begins again in a later epoch only`(_ records: [LedgerRecord]) throws {
        var book = LedgerTable()
        for record in records { try book.applyRecord(record) }
        let last = try #require(book.ownerships[vm])
        #expect(!last.canBeginAgain(in: last.epoch))
        #expect(last.canBeginAgain(in: last.epoch.next))
        for record in LedgerRecord.beginning(of: vm, in: last.epoch.next, after: last) {
            try book.applyRecord(record)
        }
        #expect(book.ownerships[vm] == .owned(last.epoch.next, migration: nil))
    }

    @Test(arguments: goingOn)
    func `A life that goes on does not begin again`(_ records: [LedgerRecord]) throws {
        var book = LedgerTable()
        for record in records { try book.applyRecord(record) }
        let current = try #require(book.ownerships[vm])
        #expect(!current.canBeginAgain(in: Epoch(100)))
        #expect(throws: LedgerContradiction.self) {
            for record in LedgerRecord.beginning(of: vm, in: Epoch(100), after: current) {
                try book.applyRecord(record)
            }
        }
    }

    @Test func `Records are read back as they were written`() throws {
        let all = [
            owned(1), owned(9, first), released(2), handedOver(3), incoming(4), neverRan(5),
            deleted(6), ruled(7), overruled(8),
        ]
        for record in all {
            var writer = ByteWriter()
            record.writeBytes(to: &writer)
            #expect(writer.bytes.count <= LedgerRecord.bytesMax)
            var reader = ByteReader(writer.bytes)
            #expect(try LedgerRecord(from: &reader) == record)
            try reader.requireFullyRead()
            for count in 0..<writer.bytes.count {
                var short = ByteReader(writer.bytes.prefix(count))
                #expect(throws: WireError.self) { try LedgerRecord(from: &short) }
            }
        }
    }

    @Test func `A record has these bytes`() {
        var writer = ByteWriter()
        released(2).writeBytes(to: &writer)
        let id: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
        let migration: [UInt8] = [2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
        #expect(
            writer.bytes == [2] + id + [2, 0, 0, 0, 0, 0, 0, 0, 1] + migration + [1, 0, 0, 0, 0x62])
    }
}

@Suite("Ownership question")
struct OwnershipQuestionTests {
    private let question = OwnershipQuestion(vm: vm, epoch: Epoch(5), migration: first)
    private let peer = host("a")

    private func step(_ record: LedgerRecord?) -> OwnershipQuestionStep {
        question.responseStep(for: record.map { Ownership($0) }, from: peer)
    }

    @Test func `A host that took the VM says so, also after it moved on or ended`() {
        #expect(step(owned(5, first)) == .answer(.taken(Epoch(5))))
        #expect(step(owned(7, second)) == .answer(.taken(Epoch(7))))
        #expect(step(released(6)) == .answer(.taken(Epoch(6))))
        #expect(step(handedOver(6)) == .answer(.taken(Epoch(6))))
        #expect(step(deleted(5)) == .answer(.taken(Epoch(5))))
    }

    @Test func `A host that did not writes before it swears`() {
        #expect(step(incoming(5)) == .write(neverRan(5)))
        #expect(step(neverRan(5)) == .answer(.neverRan(Epoch(5))))
    }

    /// An offer of an earlier attempt that was read late left its record over this attempt's.
    @Test(arguments: [incoming(5, second), neverRan(5, second)])
    func `An attempt is answered for though another's record is the last`(
        _ record: LedgerRecord
    ) throws {
        #expect(step(record) == .write(neverRan(5)))
        var book = LedgerTable()
        book.restoreOwnership(from: record)
        try book.applyRecord(neverRan(5))
        #expect(throws: LedgerContradiction.self) { try book.applyRecord(owned(5, second)) }
    }

    @Test func `A guest is undecided until anything is written after its arrival`() {
        #expect(Ownership(incoming(5)).isUndecided(after: first))
        for record in [incoming(5, second), neverRan(5), owned(5, first), overruled(6)] {
            #expect(!Ownership(record).isUndecided(after: first))
        }
    }

    @Test func `A ledger that contradicts the question gives no answer`() {
        let records = [
            nil, owned(4), owned(5), owned(5, second), released(5), incoming(9, second),
            handedOver(4), neverRan(3), neverRan(9), deleted(2),
        ]
        for record in records {
            guard case .refuse = step(record) else {
                Issue.record("\(String(describing: record)) got an answer")
                continue
            }
        }
    }

    @Test func `What a question makes a host write, the book takes`() throws {
        var book = LedgerTable()
        book.restoreOwnership(from: incoming(5))
        guard case .write(let record) = step(incoming(5)) else {
            Issue.record("nothing is written")
            return
        }
        try book.applyRecord(record)
        #expect(
            question.responseStep(for: book.ownerships[vm], from: peer)
                == .answer(.neverRan(Epoch(5))))
    }
}

@Suite("Forced takeovers")
struct ForcedTakeoverTests {
    private let notice = TakeoverNotice(vm: vm, epoch: Epoch(6), migration: first)

    private func step(_ record: LedgerRecord?, from ruler: String = "a") -> TakeoverNoticeStep {
        notice.responseStep(for: record.map { Ownership($0) }, from: host(ruler))
    }

    @Test func `What may run, or be run, here stands still before the notice is answered`() {
        #expect(step(owned(5, first)) == .stopThenWrite(overruled(6)))
        #expect(step(incoming(5)) == .stopThenWrite(overruled(6)))
    }

    @Test func `What could not run here anyway is answered at once`() {
        for record in [nil, neverRan(5), handedOver(4), deleted(5), overruled(6)] {
            #expect(step(record) == .answer(.superseded(Epoch(6))))
        }
        #expect(step(overruled(8)) == .answer(.superseded(Epoch(8))))
    }

    @Test func `A VM that went on from here is not overruled`() {
        for record in [
            owned(6), owned(7, first), released(5), released(6), ruled(5), handedOver(6),
        ] {
            guard case .refuse(let refusal) = step(record) else {
                Issue.record("\(record) was overruled")
                continue
            }
            #expect(refusal.code == .vmExists)
        }
    }

    @Test func `Only the host that knows the migration may overrule`() {
        for (record, ruler) in [
            (owned(5), "a"), (owned(5, second), "a"), (incoming(5, second), "a"),
            (incoming(5), "c"),
        ] {
            guard case .refuse(let refusal) = step(record, from: ruler) else {
                Issue.record("\(ruler) overruled \(record)")
                continue
            }
            #expect(refusal.code == .notAllowed)
        }
    }

    @Test func `A ruling is written, told, and settled`() throws {
        var book = LedgerTable()
        for record in [owned(4), released(5)] { try book.applyRecord(record) }
        let ruling = try #require(book.ownerships[vm]?.takeoverRecord(for: vm))
        #expect(ruling == ruled(6))
        try book.applyRecord(ruling)
        let ownership = try #require(book.ownerships[vm])
        #expect(ownership.mayRun)
        #expect(ownership.takeoverRecord(for: vm) == nil)
        let owed = try #require(ownership.takeoverNotice(for: vm))
        #expect(owed.notice == notice)
        #expect(owed.to == host("b"))
        try book.applyRecord(try #require(ownership.takeoverConfirmation(for: vm)))
        #expect(book.ownerships[vm] == .owned(Epoch(6), migration: nil))
        #expect(book.ownerships[vm]?.takeoverNotice(for: vm) == nil)
    }

    @Test func `A question from before the ruling finds no answer in an overruled ledger`() {
        let question = OwnershipQuestion(vm: vm, epoch: Epoch(5), migration: first)
        guard case .refuse = question.responseStep(for: Ownership(overruled(6)), from: host("a"))
        else {
            Issue.record("answered")
            return
        }
    }

    @Test func `Only the host that a VM comes from makes this one give it up`() {
        let question = OwnershipQuestion(vm: vm, epoch: Epoch(5), migration: first)
        guard
            case .refuse(let refusal) = question.responseStep(
                for: Ownership(incoming(5)), from: host("c"))
        else {
            Issue.record("answered")
            return
        }
        #expect(refusal.code == .notAllowed)
    }
}
