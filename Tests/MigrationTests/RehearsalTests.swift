// A rehearsal: all but the handover, one pause, and nothing left behind.

import Host
import Migration
import MigrationProtocol
import MigrationTestSupport
import Model
import Ownership
import Testing

@Suite("Rehearsal")
struct RehearsalTests {
    /// The VM runs at full speed where it was, and nobody's ledger says anything else.
    private func expectUntouched(_ bench: Bench) {
        let now = bench.guest.now
        #expect(now.isRunning && !now.isSealed && !now.isLogging && now.throttlePercent == 0)
        #expect(!now.calls.contains("throttle") || now.throttlePercent == 0)
        #expect(bench.sourceLedger.records.isEmpty)
        #expect(bench.host.guests.allSatisfy { $0.now.isDiscarded && !$0.now.isRunning })
        #expect(bench.running == 1)
    }

    @Test func `It proves the way, predicts the downtime and leaves nothing`() throws {
        let bench = try Bench(memory: .mebibytes(64), isRehearsal: true)
        bench.guest.fill(0..<8000, .text)
        try bench.guest.startWriting(pages: 100..<1100, perSecond: 3000)
        let report = try bench.run().get()
        let rehearsal = try #require(report.rehearsal)
        #expect(rehearsal.pause > .zero && rehearsal.pause < .seconds(1))
        #expect(rehearsal.stateBytes == bench.guest.savedState.count)
        #expect(bench.host.guests.first?.now.loaded == bench.guest.savedState)
        #expect(rehearsal.downtimeLower < rehearsal.downtime)
        #expect(rehearsal.downtime < rehearsal.downtimeUpper)
        #expect(rehearsal.downtimeUpper <= rehearsal.downtimeLimit.duration)
        #expect(rehearsal.dirtyPagesPerSecond > 0 && rehearsal.wireBytesPerSecond > 0)
        #expect(!rehearsal.wouldThrottle && report.verification.state == .off)
        #expect(report.downtime == .zero && report.verifiedPages == 0)
        let calls = bench.guest.now.calls
        #expect(calls.filter { $0 == "pauseForHandover" }.count == 1)
        let pause = try #require(calls.firstIndex(of: "pauseForHandover"))
        #expect(calls[pause...].starts(with: ["pauseForHandover", "saveState", "resume"]))
        expectUntouched(bench)
        guard case .discarded = bench.host.outcomes.first else {
            Issue.record("\(bench.host.outcomes)")
            return
        }
    }

    @Test func `After it the VM moves as if nothing had been`() throws {
        let bench = try Bench(isRehearsal: true)
        bench.guest.fill(0..<1000, .text)
        _ = bench.attempt()
        let report = try bench.anotherMigration().runToCompletion()
        bench.end()
        #expect(report.rehearsal == nil && bench.running == 1)
        let target = try #require(bench.host.guests.last)
        #expect(bench.guest.firstDifference(from: target) == nil && target.now.isRunning)
    }

    @Test func `Nobody is held back for it: it says what a migration would do`() throws {
        let bench = try Bench(
            memory: .mebibytes(64), limit: .milliseconds(20), isRehearsal: true)
        bench.guest.fill(0..<16384, .random)
        try bench.guest.startWriting(pages: 0..<16384, perSecond: 1_000_000, .zero)
        let result = bench.run()
        #expect(!bench.guest.now.calls.dropLast(3).contains("throttle"))
        switch result {
        case .success(let report):
            let rehearsal = try #require(report.rehearsal)
            #expect(rehearsal.wouldThrottle == (rehearsal.downtimeUpper > .milliseconds(20)))
        case .failure(let failure):
            guard case .doesNotConverge = failure.reason else {
                Issue.record("\(failure)")
                return
            }
        }
        expectUntouched(bench)
    }

    @Test func `A guest whose pause cannot fit is told with the facts`() throws {
        let bench = try Bench(limit: .microseconds(10), isRehearsal: true)
        let failure = bench.run().error
        guard case .doesNotConverge(let facts) = failure?.reason else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(facts.predictedDowntime > facts.downtimeLimit)
        #expect(!bench.guest.now.calls.contains("pauseForHandover"))
        expectUntouched(bench)
    }

    @Test func `A destination that lacks CPU features says which`() throws {
        let words = MigrationRefusal(.cpuFeaturesMissing, text: "not here", details: ["avx512f"])
        let bench = try Bench(refusal: words, isRehearsal: true)
        #expect(bench.run().error?.reason == .refused(words))
        expectUntouched(bench)
    }

    @Test func `A state that does not load is found, with the VM running`() throws {
        let bench = try Bench(
            failingCalls: [.destinationCall("loadState")], isRehearsal: true)
        let failure = bench.run().error
        guard case .refused(let refusal) = failure?.reason else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(refusal.code == .badState)
        expectUntouched(bench)
    }

    @Test(arguments: ["pauseForHandover", "saveState"])
    func `A guest that cannot be saved is resumed`(_ call: String) throws {
        let bench = try Bench(failingCalls: [.sourceCall(call)], isRehearsal: true)
        guard case .guest(let error) = bench.run().error?.reason else {
            Issue.record("no failure")
            return
        }
        #expect(error.operation == call)
        expectUntouched(bench)
    }

    @Test func `A cut ends it`() throws {
        let bench = try Bench(isRehearsal: true, at: .destinationCall("loadState")) {
            $0.cut(mended: true)
        }
        guard case .link = bench.run().error?.reason else {
            Issue.record("no loss")
            return
        }
        expectUntouched(bench)
    }
}
