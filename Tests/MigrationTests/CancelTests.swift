// A cancel at any moment before the release ends the migration within a bounded time.

import Glibc
import Host
import Migration
import MigrationProtocol
import MigrationTestSupport
import Model
import Testing

@Suite("Cancel")
struct CancelTests {
    /// What may happen meanwhile: nothing, a rehearsal, a cut that is mended, a cut for good, a peer that is silent.
    private enum Weather: CaseIterable {
        case fair, rehearsal, cut, cutForGood, silent
    }

    /// What is promised, with room for a host that has other things to do.
    private static let limit = Duration.seconds(2)

    @Test func `At any moment it is obeyed within its bound`() throws {
        var chance = SplitMix64(seed: 11)
        var delays: [Duration] = []
        for index in 0..<60 {
            let weather = Weather.allCases[index % Weather.allCases.count]
            let wait = Duration.microseconds(Int.random(in: 0...150_000, using: &chance))
            if let delay = try delayOfCancel(weather, after: wait) { delays.append(delay) }
        }
        delays.sort()
        try #require(delays.count > 20)
        let p99 = delays[delays.count * 99 / 100]
        print(
            "cancel: \(delays.count) obeyed, median \(delays[delays.count / 2].milliseconds) ms, "
                + "p99 \(p99.milliseconds) ms")
        #expect(p99 < Self.limit)
    }

    /// Nil when the migration was over before.
    private func delayOfCancel(_ weather: Weather, after wait: Duration) throws -> Duration? {
        let bench = try Bench(
            memory: .mebibytes(32), timing: Bench.patientTiming,
            isRehearsal: weather == .rehearsal)
        bench.guest.fill(0..<8192, .random)
        switch weather {
        case .fair, .rehearsal: break
        case .cut: bench.proxy.cut(after: [10 << 20, 20 << 20])
        case .cutForGood, .silent: break
        }
        let levers = bench.levers
        let disturber = try NamedThread(name: "canceller") {
            usleep(UInt32(wait.milliseconds * 500))
            if weather == .cutForGood { levers.cut(mended: false) }
            if weather == .silent { levers.stall() }
            usleep(UInt32(wait.milliseconds * 500))
            levers.cancel()
        }
        let result = bench.attempt()
        let ended = Instant.now
        disturber.joinThread()
        bench.end()
        #expect(bench.running == 1)
        guard result.error?.reason == .cancelled, let cancelled = levers.cancelledAt else {
            return nil
        }
        #expect(result.error?.aftermath == .runsAtSource(.first))
        #expect(!bench.guest.now.isLogging && bench.guest.now.throttlePercent == 0)
        return ended - cancelled
    }
}
