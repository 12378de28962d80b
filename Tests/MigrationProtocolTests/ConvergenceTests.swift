// The policy after each round.

import MigrationProtocol
import Model
import Ownership
import Testing

@Suite("Convergence")
struct ConvergenceTests {
    private func policy(_ limit: Duration = .milliseconds(50)) -> ConvergencePolicy {
        ConvergencePolicy(
            limit: limit,
            terms: DowntimeTerms(
                vcpus: 1, roundTrip: .microseconds(200), ledgerWrite: .milliseconds(1)))
    }

    /// Runs a guest that dirties so many pages a second against a link; returns the rounds' decisions.
    private func rounds(
        _ policy: inout ConvergencePolicy, memoryPages: Int, workingSet: Int,
        dirtyPerSecond: Double, pagesPerSecond: Double
    ) -> [ConvergenceDecision] {
        var decisions: [ConvergenceDecision] = []
        var toSend = memoryPages
        for _ in 0..<100 {
            let seconds = Double(toSend) / pagesPerSecond + 0.0005
            let rate = dirtyPerSecond * Double(100 - policy.throttlePercent) / 100
            let dirty = min(workingSet, Int(rate * seconds))
            decisions.append(
                policy.decideNextStep(
                    after: RoundFacts(pages: toSend, dirtyPages: dirty, duration: .seconds(seconds))
                ))
            guard case .anotherRound = decisions.last else { return decisions }
            toSend = dirty
        }
        Issue.record("a hundred rounds")
        return decisions
    }

    @Test func `An idle guest is handed over after the first round`() {
        var policy = policy()
        let decisions = rounds(
            &policy, memoryPages: 262_144, workingSet: 0, dirtyPerSecond: 0, pagesPerSecond: 250_000
        )
        #expect(decisions.count == 1)
    }

    @Test func `A calm guest is handed over after two or three rounds with few pages left`() throws
    {
        var policy = policy()
        let decisions = rounds(
            &policy, memoryPages: 196_608, workingSet: 16_384, dirtyPerSecond: 2000,
            pagesPerSecond: 200_000)
        #expect((2...3).contains(decisions.count))
        guard case .handOver(let prediction) = decisions.last else {
            Issue.record("\(decisions)")
            return
        }
        #expect(prediction.expected < .milliseconds(10))
    }

    @Test func `A busy guest that shrinks is not throttled`() {
        var policy = policy()
        let decisions = rounds(
            &policy, memoryPages: 196_608, workingSet: 131_072, dirtyPerSecond: 60_000,
            pagesPerSecond: 200_000)
        #expect(policy.throttlePercent == 0)
        guard case .handOver = decisions.last else {
            Issue.record("\(decisions)")
            return
        }
    }

    @Test func `A guest faster than the link is throttled step by step until it converges`() {
        var policy = policy()
        let decisions = rounds(
            &policy, memoryPages: 262_144, workingSet: 262_144, dirtyPerSecond: 60_000,
            pagesPerSecond: 25_000)
        #expect(policy.throttlePercent >= 60)
        guard case .handOver(let prediction) = decisions.last else {
            Issue.record("\(decisions)")
            return
        }
        #expect(prediction.upper <= .milliseconds(50))
        #expect(decisions.count <= Limits.roundsMax)
    }

    @Test func `A guest that no throttle tames ends with the facts`() {
        var policy = policy()
        let decisions = rounds(
            &policy, memoryPages: 262_144, workingSet: 262_144, dirtyPerSecond: 10_000_000,
            pagesPerSecond: 25_000)
        guard case .giveUp(let facts) = decisions.last else {
            Issue.record("\(decisions)")
            return
        }
        #expect(facts.throttlePercent == 95)
        #expect(facts.predictedDowntime > facts.downtimeLimit)
        #expect(facts.rounds <= Limits.roundsMax)
    }

    @Test func `A limit below what a handover costs anyway is told at once`() {
        var policy = policy(.milliseconds(1))
        let decisions = rounds(
            &policy, memoryPages: 262_144, workingSet: 10, dirtyPerSecond: 100,
            pagesPerSecond: 250_000)
        guard case .giveUp = decisions.last else {
            Issue.record("\(decisions)")
            return
        }
        #expect(decisions.count <= 3)
        #expect(policy.throttlePercent == 0)
    }

    @Test func `Never handed over above the limit, whatever the guest does`() {
        var state: UInt64 = 7
        func random(_ limit: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % limit)
        }
        for _ in 0..<2000 {
            var policy = policy(.milliseconds(5 + random(200)))
            var rounds = 0
            while true {
                rounds += 1
                let facts = RoundFacts(
                    pages: random(300_000), dirtyPages: random(200_000),
                    duration: .microseconds(1 + random(3_000_000)))
                switch policy.decideNextStep(after: facts) {
                case .anotherRound: continue
                case .handOver(let prediction): #expect(prediction.upper <= policy.limit)
                case .giveUp(let facts): #expect(facts.predictedDowntime * 2 > .milliseconds(1))
                }
                break
            }
            #expect(rounds <= Limits.roundsMax)
        }
    }
}
