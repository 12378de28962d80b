// The decision after each round of pre-copy: another round, handover, throttling (auto-converge), or failure.
//
// The criterion is the complete downtime that a handover at this moment would cause:
//
//   pause + last pages (dirty pages × recent time per page) + state + verify + commit + resume
//
// Rounds can reduce only the last pages; the rest is fixed and is given as `DowntimeTerms`. The prediction has an upper
// bound, because a page of the last round may cost more than a page of a long round. The handover begins only when the
// upper bound is within the limit. When it is, there is still another round if that would make the downtime clearly
// shorter, down to a target well below the limit. When it is not, and rounds no longer shrink, vCPUs are throttled step
// by step; if that does not help either, the migration ends with the facts.

import Model

/// The measurements of one round.
package struct RoundFacts: Hashable, Sendable {
    /// Pages whose bytes were sent.
    package var pages: Int
    /// Pages that are dirty at its end.
    package var dirtyPages: Int
    package var duration: Duration

    package init(pages: Int, dirtyPages: Int, duration: Duration) {
        self.pages = pages
        self.dirtyPages = dirtyPages
        self.duration = duration
    }
}

/// The parts of the downtime that do not depend on dirty pages.
package struct DowntimeTerms: Hashable, Sendable {
    package var pause: Duration
    package var state: Duration
    package var verify: Duration
    package var commit: Duration
    package var resume: Duration

    /// - Parameters:
    ///   - roundTrip: the time of a small message to the destination and back.
    ///   - ledgerWrite: the time of a durable record; both sides write one.
    package init(vcpus: Int, roundTrip: Duration, ledgerWrite: Duration) {
        pause = .microseconds(500)
        state = .microseconds(500 + 100 * vcpus)
        verify = roundTrip
        commit = ledgerWrite * 2 + roundTrip
        resume = .microseconds(500)
    }

    package var total: Duration { pause + state + verify + commit + resume }
}

/// The predicted downtime.
package struct DowntimePrediction: Hashable, Sendable {
    package var lower: Duration
    package var expected: Duration
    package var upper: Duration
}

package enum ConvergenceDecision: Hashable, Sendable {
    case anotherRound(throttlePercent: Int)
    case handOver(DowntimePrediction)
    case giveUp(ConvergenceFacts)
}

/// The policy of one migration.
package struct ConvergencePolicy: Hashable, Sendable {
    package let limit: Duration
    package var terms: DowntimeTerms
    package private(set) var rounds = 0
    package private(set) var throttlePercent = 0
    package private(set) var prediction: DowntimePrediction?
    package private(set) var dirtyPagesPerSecond: Double?
    private var stuckRounds = 0
    private var fewPagesRounds = 0
    /// The lowest cost per page in a round of many pages.
    private var secondsPerPageMin: Double?

    package init(limit: Duration, terms: DowntimeTerms) {
        self.limit = limit
        self.terms = terms
    }

    package mutating func decideNextStep(after facts: RoundFacts) -> ConvergenceDecision {
        rounds += 1
        let seconds = max(facts.duration.seconds, 1e-6)
        let secondsPerPage = measurePageCost(of: facts, seconds: seconds)
        let dirtyPerSecond = Double(facts.dirtyPages) / seconds
        dirtyPagesPerSecond = dirtyPerSecond
        let lastPages = Double(facts.dirtyPages) * secondsPerPage
        let prediction = Self.prediction(lastPages: lastPages, terms: terms)
        self.prediction = prediction

        // The pages that another round would leave dirty if the guest's dirty rate stays the same.
        let nextDirtyPages = dirtyPerSecond * lastPages
        let isShrinking = nextDirtyPages < 0.75 * Double(facts.dirtyPages)
        let isFew = facts.dirtyPages <= Limits.fewPages
        if prediction.upper <= limit {
            let isShort = isFew || lastPages <= target.seconds
            if isShort || !isShrinking || rounds >= Limits.roundsMax {
                return .handOver(prediction)
            }
            return .anotherRound(throttlePercent: throttlePercent)
        }
        if rounds >= Limits.roundsMax {
            return giveUpDecision(
                after: facts, secondsPerPage: secondsPerPage, prediction: prediction)
        }
        if isFew {
            // The fixed terms exceed the limit, or a measurement was slow for a moment: throttling cannot help, but
            // time may.
            fewPagesRounds += 1
            let isHopeless = Self.prediction(lastPages: 0, terms: terms).upper > limit
            return isHopeless || fewPagesRounds > Limits.fewPagesRoundsMax
                ? giveUpDecision(
                    after: facts, secondsPerPage: secondsPerPage, prediction: prediction)
                : .anotherRound(throttlePercent: throttlePercent)
        }
        // The dirty pages after the first round are not representative: it was the longest round.
        if isShrinking || rounds == 1 { return .anotherRound(throttlePercent: throttlePercent) }
        guard let harder = Limits.throttleSteps.first(where: { $0 > throttlePercent }) else {
            stuckRounds += 1
            if stuckRounds >= Limits.stuckRoundsMax {
                return giveUpDecision(
                    after: facts, secondsPerPage: secondsPerPage, prediction: prediction)
            }
            return .anotherRound(throttlePercent: throttlePercent)
        }
        throttlePercent = harder
        return .anotherRound(throttlePercent: harder)
    }

    private mutating func measurePageCost(of facts: RoundFacts, seconds: Double) -> Double {
        let measured = seconds / Double(max(facts.pages, Limits.fewPages))
        if facts.pages >= Limits.manyPages {
            secondsPerPageMin = min(secondsPerPageMin ?? measured, measured)
            return measured
        }
        guard let secondsPerPageMin else { return measured }
        return min(measured, secondsPerPageMin * Limits.smallRoundFactor)
    }

    /// The target for the time of the last pages while rounds still shrink them.
    private var target: Duration { min(limit / 5, .milliseconds(2)) }

    private static func prediction(lastPages: Double, terms: DowntimeTerms) -> DowntimePrediction {
        DowntimePrediction(
            lower: terms.total * 0.5 + .seconds(lastPages * 0.5),
            expected: terms.total + .seconds(lastPages),
            upper: terms.total * 1.5 + .seconds(lastPages * 1.5) + .milliseconds(1))
    }

    private func giveUpDecision(
        after facts: RoundFacts, secondsPerPage: Double, prediction: DowntimePrediction
    ) -> ConvergenceDecision {
        .giveUp(
            ConvergenceFacts(
                rounds: rounds, dirtyPages: facts.dirtyPages,
                dirtyPagesPerSecond: dirtyPagesPerSecond ?? 0,
                pagesSentPerSecond: 1 / secondsPerPage, throttlePercent: throttlePercent,
                predictedDowntime: prediction.expected, downtimeLimit: limit))
    }
}
