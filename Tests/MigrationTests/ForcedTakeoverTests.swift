// A host that was ruled against hears of it: its VM stands still before it says so.

import Host
import Migration
import MigrationProtocol
import MigrationTestSupport
import Model
import Ownership
import PeerLink
import Testing

@Suite("Forced takeovers between hosts")
struct ForcedTakeoverTests {
    private let vm = VMID.random()
    private let migration = MigrationID.random()
    private let full = LedgerError.full(SystemError(call: "test", code: 28))

    private func ruler() throws -> MemoryLedger {
        MemoryLedger([
            .takenOver(vm: vm, epoch: Epoch(3), against: try HostName("b"), migration: migration)
        ])
    }

    private func settle(
        _ ledger: MemoryLedger, with host: FakeHost
    ) throws -> Result<HandoverResolutionOutcome, HandoverResolutionError> {
        let address = try host.serve(SharedKeys.all.b)
        defer { host.stop() }
        do throws(HandoverResolutionError) {
            return .success(
                try HandoverResolution.resolveHandover(
                    of: vm, with: address, keys: SharedKeys.all.a, ledger: ledger))
        } catch { return .failure(error) }
    }

    @Test func `A host that runs the VM stops it, writes that down, and then says so`() throws {
        let host = try FakeHost(
            name: "b",
            ledger: MemoryLedger([.owned(vm: vm, epoch: Epoch(2), migration: migration)]))
        let guest = try #require(try host.arrived())
        try guest.resumeExecution()
        let ledger = try ruler()
        #expect(try settle(ledger, with: host) == .success(.takeoverConfirmed(Epoch(3))))
        #expect(!guest.now.isRunning && guest.now.isSealed)
        #expect(host.ledger.ownership(of: vm) == .superseded(Epoch(3), by: try HostName("a")))
        #expect(ledger.ownership(of: vm) == .owned(Epoch(3), migration: nil))
    }

    @Test func `A host that cannot write it down has not heard of it, but stands still`() throws {
        let host = try FakeHost(
            name: "b",
            ledger: MemoryLedger([.owned(vm: vm, epoch: Epoch(2), migration: migration)]) {
                [full] (_) throws(LedgerError) in throw full
            })
        let guest = try #require(try host.arrived())
        try guest.resumeExecution()
        let ledger = try ruler()
        guard case .failure(.refused(let refusal)) = try settle(ledger, with: host) else {
            Issue.record("it was settled")
            return
        }
        #expect(refusal.code == .ledgerFailure)
        #expect(!guest.now.isRunning)
        #expect(ledger.ownership(of: vm)?.epoch == Epoch(3))
        #expect(ledger.records.isEmpty)
    }

    @Test func `A host that has nothing to stop has heard of it at once`() throws {
        for record in [
            nil, .neverRan(vm: vm, epoch: Epoch(2), migration: migration),
            LedgerRecord.superseded(vm: vm, epoch: Epoch(3), by: try HostName("a")),
        ] {
            let host = try FakeHost(name: "b", ledger: MemoryLedger(record.map { [$0] } ?? []))
            let ledger = try ruler()
            #expect(try settle(ledger, with: host) == .success(.takeoverConfirmed(Epoch(3))))
            #expect(ledger.ownership(of: vm) == .owned(Epoch(3), migration: nil))
        }
    }

    @Test func `A host from which the VM went on says no, and the ruling stays in doubt`() throws {
        let host = try FakeHost(
            name: "b",
            ledger: MemoryLedger([
                .released(vm: vm, epoch: Epoch(3), to: try HostName("c"), migration: migration)
            ]))
        let ledger = try ruler()
        guard case .failure(.refused(let refusal)) = try settle(ledger, with: host) else {
            Issue.record("it was settled")
            return
        }
        #expect(refusal.code == .vmExists)
        #expect(ledger.records.isEmpty)
    }

    @Test func `A guest that waits for its fate, because the ledger took nothing, has it`() throws {
        let bench = try Bench(
            failingRecords: [.destinationRecord("owned"), .destinationRecord("neverRan")],
            at: .destinationRecord("neverRan")
        ) { $0.cut(mended: false) }
        defer { bench.end() }
        #expect(bench.attempt().error?.aftermath == .unresolved(Epoch(2), with: bench.host.name))
        let waiting = try #require(bench.host.guests.first)
        #expect(!waiting.now.isDiscarded && !waiting.now.isRunning)
        let released = try #require(bench.sourceLedger.ownership(of: bench.vm))
        try bench.sourceLedger.appendRecord(try #require(released.takeoverRecord(for: bench.vm)))
        bench.proxy.mend()
        let outcome = try HandoverResolution.resolveHandover(
            of: bench.vm, with: bench.address, keys: SharedKeys.all.a, ledger: bench.sourceLedger)
        #expect(outcome == .takeoverConfirmed(Epoch(3)))
        #expect(waiting.now.isDiscarded)
        guard case .discarded = try bench.host.waitForOutcome() else {
            Issue.record("\(bench.host.outcomes)")
            return
        }
        #expect(
            bench.destinationLedger.ownership(of: bench.vm)
                == .superseded(Epoch(3), by: try HostName("a")))
    }

    @Test func `A destination that gives up in the middle never runs it: it runs at the source`()
        throws
    {
        for moment in [Moment.destinationCall("loadState"), .sourceRecord("released")] {
            let bench = try Bench(at: moment) { $0.giveUp() }
            let failure = bench.run().error
            #expect(failure?.reason == .neverRan)
            #expect(failure?.aftermath == .runsAtSource(Epoch(3)))
            #expect(bench.guest.now.isRunning && bench.running == 1)
        }
    }

    @Test func `A silent host has not heard of it`() throws {
        let host = try FakeHost(name: "b")
        let address = try host.serve(SharedKeys.all.b)
        host.stop()
        let ledger = try ruler()
        #expect(throws: HandoverResolutionError.self) {
            try HandoverResolution.resolveHandover(
                of: vm, with: address, keys: SharedKeys.all.a, ledger: ledger)
        }
        #expect(ledger.records.isEmpty)
    }
}

extension FakeHost {
    /// A guest as a migration leaves it.
    fileprivate func arrived() throws -> FakeGuest? {
        _ = try prepareGuest(
            for: MigrationOffer(
                migration: .random(), vm: .random(), epoch: .first,
                spec: VMSpec(name: VMName("web"), memory: .mebibytes(16)),
                cpuFeatures: CPUFeatures([]), streams: 1, hashSeed: 1),
            from: HostName("a"))
        return guests.first
    }
}
