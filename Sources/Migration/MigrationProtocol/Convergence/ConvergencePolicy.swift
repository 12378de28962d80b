// After each round of pre-copy: another round, hand over, hold the guest back, or give up?
//
// What counts is the pause that a handover now would cause, all of it:
//
//   pause + last pages (dirty pages × time a page took lately) + state + verify + commit + resume
//
// The last pages are what rounds can shrink; the rest is fixed and comes as `DowntimeTerms`. The prediction has
// an upper bound, because a page of the last round may cost more than one of a long round. Handover comes only
// when the upper bound fits the limit. When it fits, another round still comes if that would make the pause
// clearly shorter, down to a target well below the limit. When it does not fit and rounds stop shrinking, vCPUs
// are held back step by step; when that does not help either, the migration ends with the facts.

import Model

/// What one round showed.
package struct RoundFacts: Hashable, Sendable {
    /// Pages whose bytes were sent.
    package var pages: Int
    /// Pages dirty at its end.
    package var dirtyPages: Int
    package var duration: Duration

    package init(pages: Int, dirtyPages: Int, duration: Duration) {
        self.pages = pages
        self.dirtyPages = dirtyPages
        self.duration = duration
    }
}

/// The parts of the pause that do not depend on dirty pages.
package struct DowntimeTerms: Hashable, Sendable {
    package var pause: Duration
    package var state: Duration
    package var verify: Duration
    package var commit: Duration
    package var resume: Duration

    /// - Parameters:
    ///   - roundTrip: of a small message to the destination and back.
    ///   - ledgerWrite: how long a durable record takes; both sides write one.
    package init(vcpus: Int, roundTrip: Duration, ledgerWrite: Duration) {
        pause = .microseconds(500)
        state = .microseconds(500 + 100 * vcpus)
        verify = roundTrip
        commit = ledgerWrite * 2 + roundTrip
        resume = .microseconds(500)
    }

    package var total: Duration { pause + state + verify + commit + resume }
}

/// How long the pause would be.
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
    /// The least that a page cost in a round of many.
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

        // What another round would leave dirty, if the guest goes on like this.
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
            // The fixed terms do not fit, or nothing was quick for a moment: throttling cannot help, time may.
            fewPagesRounds += 1
            let isHopeless = Self.prediction(lastPages: 0, terms: terms).upper > limit
            return isHopeless || fewPagesRounds > Limits.fewPagesRoundsMax
                ? giveUpDecision(
                    after: facts, secondsPerPage: secondsPerPage, prediction: prediction)
                : .anotherRound(throttlePercent: throttlePercent)
        }
        // What the first round left dirty says little: it was the longest.
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

    /// How short the last pages should become while rounds still shrink them.
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
