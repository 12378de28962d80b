// Migrations that go well: every stream count, every encoding, idle and busy guests, large and sparse memory.

import Glibc
import Host
import Migration
import MigrationTestSupport
import Model
import Ownership
import Testing

@Suite("Migration")
struct HappyTests {
    @Test(arguments: [1, 2, 4, 8], Compression.allCases)
    func `Memory and state arrive whole`(_ streams: Int, _ compression: Compression) throws {
        let bench = try Bench(streams: streams, compression: compression)
        bench.guest.fill(0..<1000, .text)
        bench.guest.fill(1500..<1800, .random)
        bench.guest.fill(4000..<4096, .text)
        let report = try bench.run().get()
        let target = try #require(bench.host.guests.first)
        #expect(bench.guest.firstDifference(from: target) == nil)
        #expect(target.now.loaded == bench.guest.savedState)
        #expect(target.now.isRunning && !target.now.isDiscarded)
        #expect(!bench.guest.now.isRunning && bench.guest.now.isSealed)
        #expect(report.streams == streams)
        #expect(report.zeroPages == 2700)
        #expect(report.pagesSent == 4096)
        #expect(report.memoryDigest.count == 32)
        #expect(report.downtime > .zero && report.downtime < report.total)
        if compression == .none { #expect(report.compression == .none) }
        if [.lz4, .zstd, .zlib].contains(compression) { #expect(report.compressionRatio > 1.3) }
    }

    @Test func `Both ledgers tell the whole story, in order`() throws {
        let bench = try Bench()
        _ = try bench.run().get()
        let id = bench.migration.id
        #expect(
            bench.sourceLedger.records == [
                .released(vm: bench.vm, epoch: Epoch(2), to: bench.host.name, migration: id),
                .handedOver(vm: bench.vm, epoch: Epoch(2), to: bench.host.name, migration: id),
            ])
        let a = try HostName("a")
        #expect(
            bench.destinationLedger.records == [
                .incoming(vm: bench.vm, epoch: Epoch(2), from: a, migration: id),
                .owned(vm: bench.vm, epoch: Epoch(2), migration: id),
            ])
        #expect(bench.host.outcomes == [.running(Epoch(2))])
        let calls = bench.guest.now.calls
        #expect(calls.first == "startDirtyLog")
        #expect(calls.suffix(4) == ["pauseForHandover", "fetchDirtyLog", "saveState", "seal"])
    }

    @Test(arguments: [1, 2], [Compression.none, .lz4, .auto])
    func `A guest that writes all the time loses nothing`(
        _ streams: Int, _ compression: Compression
    ) throws {
        let bench = try Bench(streams: streams, compression: compression)
        bench.guest.fill(0..<3000, .text)
        try bench.guest.startWriting(pages: 100..<1100, perSecond: 3000)
        let report = try bench.run().get()
        let target = try #require(bench.host.guests.first)
        #expect(bench.guest.firstDifference(from: target) == nil)
        #expect(report.rounds >= 1)
    }

    @Test func `Memory above 4 GiB arrives, and holes stay holes at both ends`() throws {
        let bench = try Bench(memory: .mebibytes(4096 + 512))
        let pages = bench.guest.layout.pageCount
        let written = [0..<4, 786_430..<786_434, (pages - 3)..<pages]
        for range in written { bench.guest.fill(range, .text) }
        _ = try bench.run().get()
        let target = try #require(bench.host.guests.first)
        for range in written {
            for page in range {
                let here = unsafe bench.guest.memory.base.advanced(by: page * pageBytes)
                let there = unsafe target.memory.base.advanced(by: page * pageBytes)
                #expect(unsafe memcmp(here, there, pageBytes) == 0, "page \(page)")
            }
        }
        for guest in [bench.guest, target] {
            var status = stat()
            #expect(unsafe fstat(guest.memoryFile.number, &status) == 0)
            #expect(status.st_blocks * 512 < 1 << 20)
        }
    }

    @Test func `Progress can be read while it runs, and shows its end`() throws {
        let bench = try Bench()
        #expect(bench.migration.progress.phase == .connect)
        _ = try bench.run().get()
        let progress = bench.migration.progress
        #expect(progress.phase >= .announce)
        #expect(progress.round >= 1)
        #expect(progress.predictedDowntime != nil)
        #expect(throws: CancelRefusal.ended) { try bench.migration.requestCancellation() }
    }

    @Test func `The phases of the downtime add up to it`() throws {
        let report = try Bench().run().get()
        let sum = report.phases.filter { MigrationPhase.downtimePhases.contains($0.phase) }
            .reduce(Duration.zero) { $0 + $1.duration }
        #expect(abs((sum - report.downtime).milliseconds) < 0.5)
    }
}
