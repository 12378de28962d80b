// The second look at memory after the handover finds what the digests cannot show.

import Host
import Migration
import MigrationTestSupport
import Model
import Testing

@Suite("Memory verification")
struct VerificationTests {
    @Test func `Memory that was sent as it stands is clean, and its holes stay holes`() throws {
        let bench = try Bench(memory: .mebibytes(512))
        bench.guest.fill(0..<3000, .random)
        bench.guest.fill(100_000..<100_100, .zero)
        try bench.guest.startWriting(pages: 100..<1100, perSecond: 3000)
        let report = try bench.run().get()
        #expect(report.verification.state == .running)
        let before = try bench.guest.memoryFile.allocatedBytes()
        let verification = bench.migration.verifyMemory()
        #expect(verification.state == .clean)
        #expect(verification.pages == 131_072 && verification.differing == 0)
        #expect(try bench.guest.memoryFile.allocatedBytes() == before)
        #expect(bench.migration.verifyMemory().state == .off)
    }

    @Test func `A page that the dirty log lost is found`() throws {
        let bench = try Bench(memory: .mebibytes(64))
        bench.guest.fill(0..<16384, .random)
        bench.guest.losePage(1234)
        try bench.guest.startWriting(pages: 1230..<1240, perSecond: 2000)
        _ = try bench.run().get()
        let target = try #require(bench.host.guests.first)
        #expect(bench.guest.firstDifference(from: target) == 1234)
        let verification = bench.migration.verifyMemory()
        #expect(verification.state == .differs)
        #expect(verification.differing == 1 && verification.differingPages == [1234])
    }

    @Test func `A bit that flipped after it was sent is found`() throws {
        let bench = try Bench()
        bench.guest.fill(0..<4096, .text)
        _ = try bench.run().get()
        bench.guest.flipBit(ofPage: 77)
        bench.guest.flipBit(ofPage: 4095)
        let verification = bench.migration.verifyMemory()
        #expect(verification.state == .differs && verification.differingPages == [77, 4095])
    }

    @Test func `Many pages are counted, and the first are named`() throws {
        let bench = try Bench()
        bench.guest.fill(0..<1000, .text)
        _ = try bench.run().get()
        bench.guest.fill(0..<1000, .random)
        let verification = bench.migration.verifyMemory()
        #expect(verification.differing == 1000)
        #expect(verification.differingPages == Array(0..<64))
    }

    @Test func `It ends early when it is told to`() throws {
        let bench = try Bench()
        _ = try bench.run().get()
        bench.migration.stopVerification()
        #expect(bench.migration.verifyMemory().state == .unfinished)
    }

    @Test func `After a connection was lost and made again it knows what was sent`() throws {
        let bench = try Bench(memory: .mebibytes(64), timing: Bench.patientTiming)
        bench.guest.fill(0..<16384, .random)
        bench.proxy.cut(after: [20 << 20])
        let report = try bench.run().get()
        #expect(report.reconnects == 1)
        bench.guest.flipBit(ofPage: 9)
        let verification = bench.migration.verifyMemory()
        #expect(verification.differingPages == [9])
        print("audit: \(verification.duration.seconds * 16) s/GiB")
    }

    @Test func `Who does not want it gets none, and neither does a migration that failed`() throws {
        let quiet = try Bench(verifiesMemory: false)
        #expect(try quiet.run().get().verification.state == .off)
        #expect(quiet.migration.verifyMemory().state == .off)
        let failed = try Bench(failingCalls: [.destinationCall("loadState")])
        #expect(failed.run().error != nil)
        #expect(failed.migration.verifyMemory().state == .off)
    }
}
