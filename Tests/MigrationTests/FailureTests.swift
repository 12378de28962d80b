// Migrations that fail: before GO the VM runs at the source and nothing is kept; after it there is one owner.

import Host
import Migration
import MigrationProtocol
import MigrationTestSupport
import Model
import Ownership
import PeerLink
import Testing

/// The VM runs at the source, in its epoch, at full speed, and the destination keeps nothing.
private func expectUntouched(_ bench: Bench, _ failure: MigrationFailure?) throws {
    #expect(failure?.aftermath == .runsAtSource(.first))
    let now = bench.guest.now
    #expect(now.isRunning)
    #expect(now.throttlePercent == 0)
    #expect(!now.isLogging)
    #expect(bench.sourceLedger.ownership(of: bench.vm) == .owned(.first, migration: nil))
    for guest in bench.host.guests {
        #expect(guest.now.isDiscarded && !guest.now.isRunning)
    }
    #expect(bench.running == 1)
    if case .incoming = bench.destinationLedger.ownership(of: bench.vm) {
        Issue.record("the destination did not write that it never ran")
    }
}

/// Every moment before the release.
private let moments: [Moment] = [
    .prepare, .destinationRecord("incoming"), .sourceCall("startDirtyLog"),
    .sourceCall("clearDirtyLog"), .sourceCall("pauseForHandover"), .sourceCall("saveState"),
    .sourceCall("seal"), .destinationCall("loadState"),
]

@Suite("Migration that fails")
struct FailureTests {
    @Test(arguments: moments)
    func `A cancel before the release leaves the VM where it was`(_ moment: Moment) throws {
        let bench = try Bench(at: moment) { $0.cancel() }
        let failure = bench.run().error
        #expect(failure?.reason == .cancelled)
        try expectUntouched(bench, failure)
    }

    @Test func `A cancel before it starts is obeyed`() throws {
        let bench = try Bench()
        try bench.migration.requestCancellation()
        let failure = bench.run().error
        #expect(failure?.reason == .cancelled)
        try expectUntouched(bench, failure)
    }

    @Test func `A cancel after the release is refused, and the VM moves`() throws {
        let bench = try Bench(at: .sourceRecord("released")) { $0.cancel() }
        _ = try bench.run().get()
        #expect(bench.levers.cancelRefusal == .released)
        #expect(bench.running == 1)
    }

    @Test func `A cancel ends a migration whose streams stand still, and soon`() throws {
        // A proxy that forwards nothing more: sends and receives wait.
        let bench = try Bench(memory: .mebibytes(32), at: .sourceCall("clearDirtyLog")) {
            $0.stall()
        }
        bench.guest.fill(0..<8192, .random)
        let levers = bench.levers
        let canceller = try NamedThread(name: "canceller") {
            levers.waitForStall()
            levers.cancel()
        }
        let failure = bench.attempt().error
        let ended = Instant.now
        canceller.joinThread()
        #expect(failure?.reason == .cancelled)
        let cancelled = try #require(levers.cancelledAt)
        #expect(ended - cancelled < .seconds(1))
        bench.end()
        try expectUntouched(bench, failure)
    }

    @Test func `A destination that takes long to build the guest is not taken for dead`() throws {
        var timing = Bench.shortTiming
        timing.deadPeer = .seconds(2)
        let never = try Wakeup()
        let bench = try Bench(timing: timing, at: .prepare) { _ in
            _ = try? never.waitUntilSet(before: .now + .seconds(4))
        }
        _ = try bench.run().get()
    }

    @Test func `A destination that falls silent while it builds the guest is noticed`() throws {
        var timing = Bench.shortTiming
        timing.deadPeer = .milliseconds(1500)
        let never = try Wakeup()
        let bench = try Bench(timing: timing, at: .prepare) {
            $0.stall()
            _ = try? never.waitUntilSet(before: .now + .seconds(4))
        }
        let failure = bench.attempt().error
        #expect(failure?.reason == .link(.timedOut(after: .milliseconds(1500))))
        bench.end()
        try expectUntouched(bench, failure)
    }

    @Test func `A destination that falls silent in the handover is noticed in its time`() throws {
        var timing = Bench.shortTiming
        timing.deadPeerInHandover = .milliseconds(200)
        let bench = try Bench(timing: timing, at: .sourceCall("seal")) { $0.stall() }
        let start = Instant.now
        let failure = bench.attempt().error
        #expect(Instant.now - start < .seconds(5))
        #expect(failure?.reason == .link(.timedOut(after: .milliseconds(200))))
        bench.end()
        try expectUntouched(bench, failure)
    }

    @Test(arguments: moments)
    func `A link that is cut before the release leaves the VM where it was`(
        _ moment: Moment
    ) throws {
        let bench = try Bench(at: moment) { $0.cut(mended: false) }
        let failure = bench.run().error
        guard case .link = failure?.reason else {
            Issue.record("\(String(describing: failure))")
            return
        }
        try expectUntouched(bench, failure)
    }

    @Test(arguments: MigrationRefusal.Code.allCases)
    func `A refusal comes with the destination's words`(_ code: MigrationRefusal.Code) throws {
        let words = MigrationRefusal(code, text: "not here", details: ["avx512f", "sha_ni"])
        let bench = try Bench(refusal: words)
        let failure = bench.run().error
        #expect(failure?.reason == .refused(words))
        #expect(failure?.phase == .negotiate)
        try expectUntouched(bench, failure)
        #expect(bench.host.guests.isEmpty)
    }

    @Test(arguments: [
        "startDirtyLog", "fetchDirtyLog", "clearDirtyLog", "pauseForHandover", "saveState", "seal",
    ])
    func `A guest's process that fails at the source ends it`(_ call: String) throws {
        let bench = try Bench(failingCalls: [.sourceCall(call)])
        let failure = bench.run().error
        guard case .guest(let error) = failure?.reason else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(error.operation == call)
        try expectUntouched(bench, failure)
    }

    @Test func `A state that cannot be loaded is told with its words`() throws {
        let bench = try Bench(failingCalls: [.destinationCall("loadState")])
        let failure = bench.run().error
        guard case .refused(let refusal) = failure?.reason else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(refusal.code == .badState)
        #expect(refusal.details == ["loadState: as the test wants"])
        try expectUntouched(bench, failure)
    }

    @Test func `A ledger that cannot take the release keeps the VM`() throws {
        let bench = try Bench(failingRecords: [.sourceRecord("released")])
        let failure = bench.run().error
        guard case .ledger = failure?.reason else {
            Issue.record("\(String(describing: failure))")
            return
        }
        try expectUntouched(bench, failure)
    }

    @Test func `A destination whose ledger takes nothing refuses before the first page`() throws {
        let bench = try Bench(failingRecords: [.destinationRecord("incoming")])
        let failure = bench.run().error
        guard case .refused(let refusal) = failure?.reason else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(refusal.code == .ledgerFailure)
        try expectUntouched(bench, failure)
    }

    @Test func `A guest that does not converge stays, with the facts`() throws {
        let bench = try Bench(memory: .mebibytes(16), limit: .microseconds(10))
        bench.guest.fill(0..<4096, .random)
        let failure = bench.run().error
        guard case .doesNotConverge(let facts) = failure?.reason else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(facts.downtimeLimit == .microseconds(10))
        #expect(facts.predictedDowntime > facts.downtimeLimit)
        try expectUntouched(bench, failure)
    }

    @Test func `A destination that stops ends what has not been released, and says so`() throws {
        let bench = try Bench(at: .sourceCall("clearDirtyLog")) { $0.stopHost() }
        let failure = bench.run().error
        guard case .refused(let refusal) = failure?.reason else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(refusal.code == .hostFailure)
        try expectUntouched(bench, failure)
    }
}

@Suite("Migration whose handover is disturbed")
struct HandoverTests {
    @Test
    func `A lost GO is settled: the destination never ran it, the source takes the next epoch`()
        throws
    {
        let bench = try Bench(at: .sourceRecord("released")) { $0.cut(mended: true) }
        let failure = bench.run().error
        #expect(failure?.reason == .neverRan)
        #expect(failure?.aftermath == .runsAtSource(Epoch(3)))
        #expect(bench.guest.now.isRunning)
        #expect(bench.sourceLedger.ownership(of: bench.vm) == .owned(Epoch(3), migration: nil))
        #expect(
            bench.destinationLedger.ownership(of: bench.vm)
                == .neverRan(Epoch(2), migration: bench.migration.id))
        #expect(bench.running == 1)
    }

    @Test func `A lost answer is settled: the destination runs it`() throws {
        let bench = try Bench(at: .destinationCall("resume")) { $0.cut(mended: true) }
        let report = try bench.run().get()
        #expect(report.downtime > .zero)
        #expect(!bench.guest.now.isRunning)
        #expect(bench.host.guests.first?.now.isRunning == true)
        #expect(bench.running == 1)
    }

    @Test func `A cut while the destination writes owned leaves exactly one owner`() throws {
        let bench = try Bench(at: .destinationRecord("owned")) { $0.cut(mended: true) }
        let result = bench.run()
        #expect(bench.running == 1)
        if case .success = result {
            #expect(bench.destinationLedger.ownership(of: bench.vm)?.mayRun == true)
        } else {
            #expect(bench.sourceLedger.ownership(of: bench.vm)?.mayRun == true)
            #expect(bench.guest.now.isRunning)
        }
    }

    @Test(arguments: [Moment.sourceRecord("released"), .destinationCall("resume")])
    func `Without an answer nobody runs it here, until the two have talked`(
        _ moment: Moment
    ) throws {
        let bench = try Bench(at: moment) { $0.cut(mended: false) }
        defer { bench.end() }
        let failure = bench.attempt().error
        guard case .noAnswer = failure?.reason else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(failure?.aftermath == .unresolved(Epoch(2), with: bench.host.name))
        #expect(!bench.guest.now.isRunning)
        bench.proxy.mend()
        let outcome = try HandoverResolution.resolveHandover(
            of: bench.vm, with: bench.address, keys: SharedKeys.all.a, ledger: bench.sourceLedger)
        if moment == .destinationCall("resume") {
            #expect(outcome == .handedOver(Epoch(2)))
            #expect(bench.running == 1)
        } else {
            #expect(outcome == .takenBack(Epoch(3)))
            #expect(bench.running == 0)
            #expect(bench.sourceLedger.ownership(of: bench.vm)?.mayRun == true)
        }
        #expect(throws: HandoverResolutionError.self) {
            try HandoverResolution.resolveHandover(
                of: bench.vm, with: bench.address, keys: SharedKeys.all.a,
                ledger: bench.sourceLedger)
        }
    }

    @Test func `A destination that cannot write owned gives the VM back`() throws {
        let bench = try Bench(failingRecords: [.destinationRecord("owned")])
        let failure = bench.run().error
        #expect(failure?.reason == .neverRan)
        #expect(failure?.aftermath == .runsAtSource(Epoch(3)))
        #expect(bench.host.guests.first?.now.isDiscarded == true)
        #expect(bench.running == 1)
    }

    @Test func `A destination that can write nothing keeps the guest until a question is answered`()
        throws
    {
        let bench = try Bench(
            failingRecords: [.destinationRecord("owned"), .destinationRecord("neverRan")])
        let failure = bench.run().error
        // Its disk came back before the question.
        #expect(failure?.reason == .neverRan)
        #expect(failure?.aftermath == .runsAtSource(Epoch(3)))
        #expect(bench.host.guests.first?.now.isDiscarded == true)
        #expect(bench.host.outcomes.count == 1)
        #expect(bench.running == 1)
    }

    @Test func `A guest that will not resume at the destination is the destination's`() throws {
        let bench = try Bench(failingCalls: [.destinationCall("resume")])
        _ = try bench.run().get()
        #expect(!bench.guest.now.isRunning)
        guard case .ownedButStopped(Epoch(2), _) = bench.host.outcomes.first else {
            Issue.record("\(bench.host.outcomes)")
            return
        }
    }
}
