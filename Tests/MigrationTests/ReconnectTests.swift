// A connection that is lost in pre-copy: the migration goes on, sends little again, and loses no page.

import Glibc
import Host
import Migration
import MigrationProtocol
import MigrationTestSupport
import Model
import Ownership
import PeerLink
import Testing

/// What may be on its way when a connection breaks: sockets of two streams on both sides of the proxy (the kernel
/// doubles what was asked for), and what the proxy itself holds.
private let inFlightMax: UInt64 = 56 << 20

@Suite("Reconnect")
struct ReconnectTests {
    @Test(arguments: 0..<10 as Range<UInt64>)
    func `Cuts at any moment lose no page of a guest that writes`(_ seed: UInt64) throws {
        var chance = SplitMix64(seed: seed)
        let streams = Int.random(in: 1...4, using: &chance)
        let bench = try Bench(
            memory: .mebibytes(64), streams: streams,
            compression: [.none, .lz4, .auto].randomElement(using: &chance) ?? .none,
            timing: Bench.patientTiming)
        bench.guest.fill(0..<4000, .random)
        bench.guest.fill(4000..<8000, .text)
        bench.guest.fill(12_000..<14_000, .random)
        let count = Int.random(in: 1...3, using: &chance)
        bench.proxy.cut(
            after: (0..<count).map { _ in Int.random(in: 100_000...30_000_000, using: &chance) }
                .sorted())
        try bench.guest.startWriting(pages: 3000..<5000, perSecond: 4000, .random)
        let result = bench.run()
        switch result {
        case .success(let report):
            let target = try #require(bench.host.guests.last)
            #expect(bench.guest.firstDifference(from: target) == nil, "seed \(seed)")
            #expect(target.now.loaded == bench.guest.savedState)
            #expect(bench.host.guests.count == 1)
            #expect(report.bytesSentAgain <= UInt64(report.reconnects) * inFlightMax)
        case .failure(let failure):
            // A cut in the handshake or in the handover is not ridden out; it leaves the VM where it was.
            #expect(failure.aftermath == .runsAtSource(.first), "seed \(seed)")
        }
        #expect(bench.running == 1)
    }

    @Test func `After a cut at half of memory only what was in flight is sent again`() throws {
        let bench = try Bench(memory: .mebibytes(256), timing: Bench.patientTiming)
        bench.guest.fill(0..<65536, .random)
        bench.proxy.cut(after: [128 << 20])
        let report = try bench.run().get()
        let target = try #require(bench.host.guests.first)
        #expect(bench.guest.firstDifference(from: target) == nil)
        #expect(report.reconnects == 1)
        #expect(report.bytesSentAgain <= inFlightMax)
        #expect(report.pageBytesSent == 256 << 20 + report.bytesSentAgain)
        print("sent again after a cut at half of 256 MiB: \(report.bytesSentAgain >> 10) KiB")
        #expect(bench.host.unparkings == 1 && bench.host.guests.count == 1)
    }

    @Test func `The guest is held back by nobody while there is no connection`() throws {
        let bench = try Bench(timing: Bench.patientTiming, at: .sourceCall("clearDirtyLog")) {
            $0.cut(mended: false)
        }
        bench.guest.fill(0..<4000, .random)
        let thread = try inBackground(bench)
        try bench.host.waitForParkings(1)
        #expect(bench.guest.now.isRunning && bench.guest.now.throttlePercent == 0)
        #expect(bench.guest.now.isLogging)
        while bench.migration.progress.reconnectAttempt == nil { yieldProcessor() }
        #expect(bench.migration.progress.phase == .connect)
        bench.proxy.mend()
        thread.joinThread()
        bench.end()
        #expect(bench.running == 1 && bench.host.outcomes == [.running(Epoch(2))])
        #expect(bench.migration.progress.reconnectAttempt == nil)
    }

    @Test func `What arrived is discarded when nobody comes back for it`() throws {
        var timing = Bench.shortTiming
        timing.suspensionLimit = .milliseconds(200)
        let bench = try Bench(timing: timing, at: .sourceCall("clearDirtyLog")) {
            $0.cut(mended: false)
        }
        let failure = bench.attempt().error
        guard case .link = failure?.reason else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(failure?.phase == .preCopy)
        #expect(failure?.aftermath == .runsAtSource(.first))
        guard case .discarded(let refusal) = try bench.host.waitForOutcome() else {
            Issue.record("\(bench.host.outcomes)")
            return
        }
        #expect(refusal.code == .timedOut)
        #expect(bench.host.guests.allSatisfy { $0.now.isDiscarded })
        guard case .neverRan = bench.destinationLedger.ownership(of: bench.vm) else {
            Issue.record("no word that it never ran")
            return
        }
        bench.end()
    }

    @Test func `A cancel is obeyed at once while it connects again`() throws {
        var timing = PeerTiming()
        timing.reconnectPauseMin = .seconds(20)
        timing.reconnectPauseMax = .seconds(20)
        let bench = try Bench(timing: timing, at: .sourceCall("clearDirtyLog")) {
            $0.cut(mended: false)
        }
        let levers = bench.levers
        let host = bench.host
        let canceller = try NamedThread(name: "canceller") {
            // A failure to wait shows in the time below.
            try? host.waitForParkings(1)
            levers.cancel()
        }
        let failure = bench.attempt().error
        let ended = Instant.now
        canceller.joinThread()
        #expect(failure?.reason == .cancelled)
        #expect(ended - (try #require(levers.cancelledAt)) < .milliseconds(500))
        #expect(bench.guest.now.isRunning && !bench.guest.now.isLogging)
        bench.end()
        #expect(bench.host.guests.allSatisfy { $0.now.isDiscarded })
    }

    @Test func `A destination that was restarted meanwhile gets everything again`() throws {
        let bench = try Bench(
            memory: .mebibytes(32), timing: Bench.patientTiming, at: .sourceCall("clearDirtyLog")
        ) { $0.cut(mended: false) }
        bench.guest.fill(0..<6000, .random)
        let thread = try inBackground(bench)
        try bench.host.waitForParkings(1)
        bench.host.stop()
        #expect(bench.host.guests[0].now.isDiscarded)
        _ = try bench.host.serve(SharedKeys.all.b, timing: bench.timing)
        bench.proxy.mend()
        thread.joinThread()
        bench.end()
        let target = try #require(bench.host.guests.last)
        #expect(bench.guest.firstDifference(from: target) == nil)
        #expect(bench.running == 1 && bench.host.outcomes.last == .running(Epoch(2)))
        #expect(bench.sourceLedger.ownership(of: bench.vm)?.mayRun == false)
    }

    @Test func `Another attempt goes on with what the first one brought`() throws {
        let bench = try Bench(memory: .mebibytes(128), timing: Bench.shortTiming)
        bench.guest.fill(0..<32768, .random)
        bench.proxy.cut(after: [64 << 20])
        let levers = bench.levers
        let host = bench.host
        // For good, as soon as the first cut was noticed.
        let cutter = try NamedThread(name: "cutter") {
            try? host.waitForParkings(1)
            levers.cut(mended: false)
        }
        let first = bench.attempt()
        cutter.joinThread()
        try #require(first.error?.aftermath == .runsAtSource(.first))
        bench.guest.fill(100..<200, .text)
        bench.proxy.mend()
        let again = bench.anotherMigration(streams: 3)
        let report = try again.runToCompletion()
        bench.end()
        let target = try #require(bench.host.guests.first)
        #expect(bench.guest.firstDifference(from: target) == nil)
        #expect(bench.host.guests.count == 1)
        #expect(report.reconnects == 0 && report.bytesSentAgain == 0)
        #expect(report.pageBytesSent < 64 << 20 + inFlightMax)
        #expect(report.unchangedPages > 8000)
    }

    @Test func `Nobody but the source gets what is kept`() throws {
        let bench = try Bench(at: .sourceCall("clearDirtyLog")) { $0.cut(mended: false) }
        _ = bench.attempt()
        try bench.host.waitForParkings(1)
        bench.proxy.mend()
        let stranger = try PeerKeys(folder: SharedKeys.all.keys.issue("c"))
        let (control, _) = try dial(bench.address, stranger, .control)
        var offer = try sampleOffer(vm: bench.vm)
        offer.spec = bench.guest.spec
        offer.cpuFeatures = bench.guest.cpuFeatures
        try control.sendMessage(.offer(offer))
        switch try control.receiveAnyMessage() {
        case .accepted(_, _, let kept): #expect(kept == nil)
        case .refused: break
        case let other: Issue.record("\(other)")
        }
        #expect(bench.host.unparkings == 0)
        bench.end()
    }

    @Test
    func `What is kept goes when it is deleted, or when the source was told that it never ran`()
        throws
    {
        for isDeleted in [false, true] {
            let bench = try Bench(at: .sourceCall("clearDirtyLog")) { $0.cut(mended: false) }
            _ = bench.attempt()
            try bench.host.waitForParkings(1)
            bench.proxy.mend()
            if isDeleted {
                #expect(bench.host.endParked(bench.vm))
                #expect(!bench.host.endParked(bench.vm))
            } else {
                let (question, _) = try dial(bench.address, SharedKeys.all.a, .question)
                try question.sendMessage(
                    .question(
                        OwnershipQuestion(
                            vm: bench.vm, epoch: Epoch(2), migration: bench.migration.id)))
                #expect(try question.receiveAnyMessage() == .answer(.neverRan(Epoch(2))))
            }
            guard case .discarded = try bench.host.waitForOutcome() else {
                Issue.record("\(bench.host.outcomes)")
                return
            }
            #expect(bench.host.guests.allSatisfy { $0.now.isDiscarded })
            bench.end()
        }
    }

    @Test func `A loss that only the source has noticed is ridden out`() throws {
        let bench = try Bench(
            memory: .mebibytes(32), timing: Bench.patientTiming, at: .sourceCall("clearDirtyLog")
        ) { $0.cutSilently() }
        bench.guest.fill(0..<6000, .random)
        let report = try bench.run().get()
        let target = try #require(bench.host.guests.first)
        #expect(report.reconnects == 1)
        #expect(bench.guest.firstDifference(from: target) == nil)
        #expect(bench.host.guests.count == 1)
    }
}

/// Runs the migration on a thread; its outcome shows at both ends.
private func inBackground(_ bench: Bench) throws -> NamedThread {
    try NamedThread(name: "migration") { _ = bench.attempt() }
}

private func yieldProcessor() { usleep(1000) }
