// The longest pause that a migration may cause: one type in specs, requests, options and reports.

/// A limit on downtime. JSON: a number of milliseconds, under the key `downtimeLimitMs`.
public struct DowntimeLimit: Hashable, Sendable, Codable, CustomStringConvertible {
    public static let usual = DowntimeLimit(.milliseconds(50))
    public static let longest = Duration.seconds(60)

    public var duration: Duration

    public init(_ duration: Duration) { self.duration = duration }

    /// Whole nanoseconds; a number that no limit can have saturates, so that `problem` refuses it.
    public init(milliseconds: Double) {
        let bound = 1e12
        let milliseconds = milliseconds.isNaN ? 0 : min(max(milliseconds, -bound), bound)
        duration = .nanoseconds(Int64((milliseconds * 1e6).rounded()))
    }

    public static func milliseconds(_ count: Int) -> DowntimeLimit {
        DowntimeLimit(.milliseconds(count))
    }

    public var milliseconds: Double { duration.milliseconds }
    public var description: String { "\(duration)" }

    /// Nil when it is within its bounds.
    public var problem: String? {
        duration > .zero && duration <= Self.longest
            ? nil : "the downtime limit is \(duration): use more than 0 and at most 60s"
    }

    public init(from decoder: any Decoder) throws {
        self.init(milliseconds: try decoder.singleValueContainer().decode(Double.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }
}
