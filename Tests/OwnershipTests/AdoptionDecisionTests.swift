// What a starting agent does with each VM that it finds.

import Model
import Ownership
import Testing

@Suite("Adoption")
struct AdoptionTests {
    private let vm = Identifier128(high: 1, low: 1)
    private let migration = Identifier128(high: 2, low: 1)
    private let epoch = Epoch(4)

    private func host(_ name: String) throws -> HostName { try HostName(name) }

    private func steps(_ ownership: Ownership?) -> [DiscoveredState: AdoptionDecision.Step] {
        Dictionary(
            uniqueKeysWithValues: DiscoveredState.allCases.map {
                ($0, AdoptionDecision(vm: vm, ownership: ownership, discovered: $0).step)
            })
    }

    private func expect(
        _ ownership: Ownership?, _ usual: AdoptionDecision.Step,
        but others: [DiscoveredState: AdoptionDecision.Step] = [:]
    ) {
        for (remains, step) in steps(ownership) {
            #expect(step == others[remains] ?? usual, "\(String(describing: ownership)) \(remains)")
        }
    }

    @Test func `A VM that this host owns is kept; a sealed guest runs on; a lost one is told`() {
        for migration in [nil, migration] {
            expect(
                .owned(epoch, migration: migration), .keep,
                but: [.paused(isSealed: true): .keepAndResume, .nothing: .keepAsLost])
        }
    }

    @Test
    func `A VM that a ruling gave back is kept; one that a ruling took stands still for good`()
        throws
    {
        let (a, b) = (try host("a"), try host("b"))
        expect(
            .takenOver(epoch, against: b, migration: migration), .keep,
            but: [.paused(isSealed: true): .keepAndResume, .nothing: .keepAsLost])
        expect(.superseded(epoch, by: a), .hold)
    }

    @Test
    func `A VM that was released stands still and its destination is asked, whatever is left`()
        throws
    {
        let b = try host("b")
        expect(.released(epoch, to: b, migration: migration), .holdAndResolve(with: b))
    }

    @Test func `What was arriving, has left, never ran or was deleted does not stay`() throws {
        let (a, b) = (try host("a"), try host("b"))
        expect(.incoming(epoch, from: a, migration: migration), .endAndForget)
        expect(.handedOver(epoch, to: b, migration: migration), .endAndForget)
        expect(.neverRan(epoch, migration: migration), .endAndForget)
        expect(.deleted(epoch), .endAndForget)
    }

    @Test func `A guest that the ledger never heard of is ended only when it cannot have begun`() {
        expect(
            nil, .endAndForget,
            but: [.running: .hold, .silent: .hold, .paused(isSealed: true): .hold])
    }

    @Test func `Only for what was arriving is something written, and the book takes it`() throws {
        let a = try host("a")
        let ownerships: [Ownership?] = [
            nil, .owned(epoch, migration: nil), .released(epoch, to: a, migration: migration),
            .handedOver(epoch, to: a, migration: migration),
            .incoming(epoch, from: a, migration: migration),
            .neverRan(epoch, migration: migration), .deleted(epoch),
        ]
        for ownership in ownerships {
            for remains in DiscoveredState.allCases {
                let record = AdoptionDecision(vm: vm, ownership: ownership, discovered: remains)
                    .record
                guard case .incoming = ownership else {
                    #expect(record == nil)
                    continue
                }
                var book = LedgerTable()
                book.restoreOwnership(
                    from: try #require(ownership.map { LedgerRecord(vm: vm, establishing: $0) }))
                try book.applyRecord(try #require(record))
                #expect(book.ownerships[vm] == .neverRan(epoch, migration: migration))
            }
        }
    }

    @Test func `Nothing but an owner is ever resumed`() throws {
        let a = try host("a")
        let others: [Ownership?] = [
            nil, .released(epoch, to: a, migration: migration),
            .handedOver(epoch, to: a, migration: migration),
            .incoming(epoch, from: a, migration: migration),
            .neverRan(epoch, migration: migration), .deleted(epoch),
        ]
        for ownership in others {
            #expect(!steps(ownership).values.contains(.keepAndResume))
            #expect(!steps(ownership).values.contains(.keep))
        }
    }
}
