/// What a pulse guest is asked to do: the words of its kernel command line.
///
/// The guest checks its options again: it alone knows how much memory it has.
package struct PulseOptions: Equatable, Sendable {
    /// What the filled pages hold. Mixed is a quarter zero, half text, a quarter random.
    package enum Content: String, CaseIterable, Sendable {
        case zero, text, random, mixed
    }

    /// How fast the working set is written, over all CPUs together.
    package enum Rate: Equatable, Sendable {
        case pagesPerSecond(Int)
        case flatOut
    }

    /// Memory that is filled, in bytes; nil for three quarters of what there is.
    package var fillBytes: Int?
    /// The part of the filled memory that is written, in bytes; nil for 64 MiB.
    package var workingSetBytes: Int?
    package var rate: Rate
    package var content: Content
    /// Time between heartbeats, in whole microseconds.
    package var period: Duration
    package var seed: Int
    /// Pages compared a second with what they should hold, spread over all that is filled.
    package var checksPerSecond: Int

    package init(
        fillBytes: Int? = nil, workingSetBytes: Int? = nil, rate: Rate = .pagesPerSecond(2000),
        content: Content = .text, period: Duration = .milliseconds(100), seed: Int = 1,
        checksPerSecond: Int = 2000
    ) {
        self.fillBytes = fillBytes
        self.workingSetBytes = workingSetBytes
        self.rate = rate
        self.content = content
        self.period = period
        self.seed = seed
        self.checksPerSecond = checksPerSecond
    }

    /// The kernel command line. Throws what the guest would refuse.
    package func commandLine() throws(PulseOptionsError) -> String {
        try validateRanges()
        var words: [String] = []
        if let fillBytes { words.append("fill=\(fillBytes)") }
        if let workingSetBytes { words.append("ws=\(workingSetBytes)") }
        words += [
            "rate=\(rate.word)", "content=\(content.rawValue)", "period=\(periodMicroseconds)us",
            "seed=\(seed)", "check=\(checksPerSecond)",
        ]
        return words.joined(separator: " ")
    }

    /// Throws the first option that is out of the guest's range.
    package func validateRanges() throws(PulseOptionsError) {
        if let fillBytes, !Limits.fillBytes.contains(fillBytes) {
            throw .fillOutOfRange(bytes: fillBytes)
        }
        if let workingSetBytes, !Limits.workingSetBytes.contains(workingSetBytes) {
            throw .workingSetOutOfRange(bytes: workingSetBytes)
        }
        if let fillBytes, let workingSetBytes, workingSetBytes > fillBytes {
            throw .workingSetAboveFill(workingSetBytes: workingSetBytes, fillBytes: fillBytes)
        }
        if case .pagesPerSecond(let pages) = rate, !Limits.pagesPerSecond.contains(pages) {
            throw .rateOutOfRange(pagesPerSecond: pages)
        }
        guard Limits.period.contains(period) else { throw .periodOutOfRange(period) }
        guard Limits.seed.contains(seed) else { throw .seedOutOfRange(seed) }
        guard Limits.pagesPerSecond.contains(checksPerSecond) else {
            throw .checksOutOfRange(pagesPerSecond: checksPerSecond)
        }
    }

    private var periodMicroseconds: Int64 {
        let (seconds, attoseconds) = period.components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }

    /// The guest's own limits.
    private enum Limits {
        static let fillBytes = 4096...(1 << 40)
        static let workingSetBytes = 0...(1 << 40)
        static let pagesPerSecond = 0...10_000_000
        static let period = Duration.milliseconds(1)...Duration.seconds(60)
        static let seed = 0...999_999_999_999_999_999
    }
}

extension PulseOptions.Rate {
    /// As the guest reads it, on the command line and in the command `rate`.
    package var word: String {
        switch self {
        case .pagesPerSecond(let pages): "\(pages)"
        case .flatOut: "max"
        }
    }
}

/// Why options cannot be given to a guest.
package enum PulseOptionsError: Error, Equatable {
    case fillOutOfRange(bytes: Int)
    case workingSetOutOfRange(bytes: Int)
    case workingSetAboveFill(workingSetBytes: Int, fillBytes: Int)
    case rateOutOfRange(pagesPerSecond: Int)
    case periodOutOfRange(Duration)
    case seedOutOfRange(Int)
    case checksOutOfRange(pagesPerSecond: Int)
}
