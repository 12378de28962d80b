// Words for the cluster's long work and its forecasts, as records, API and scheduler use them.

package typealias OperationID = Identifier128

package enum OperationKind: String, Hashable, Sendable, Codable, CaseIterable {
    case drain, balance, bringBack = "bring-back", migrate
}

package enum OperationState: String, Hashable, Sendable, Codable, CaseIterable {
    case running
    /// Asked to end: what is under way is finished, nothing new begins.
    case cancelling
    case succeeded
    /// It ended, and left something undone; `detail` says what.
    case incomplete
    case cancelled
}

/// A number with the bounds between which it is expected.
package struct Estimate: Hashable, Sendable, Codable {
    package var low: Double
    package var expected: Double
    package var high: Double

    package init(low: Double, expected: Double, high: Double) {
        self.low = low
        self.expected = expected
        self.high = high
    }
}

/// What a migration is expected to take.
package struct MovePrediction: Hashable, Sendable, Codable {
    package var seconds: Estimate
    package var downtimeMs: Estimate
    package var bytes: Estimate
    /// Its vCPUs are expected to be held back.
    package var isThrottled: Bool
    package var keepsDowntimeLimit: Bool

    package init(
        seconds: Estimate, downtimeMs: Estimate, bytes: Estimate, isThrottled: Bool,
        keepsDowntimeLimit: Bool
    ) {
        self.seconds = seconds
        self.downtimeMs = downtimeMs
        self.bytes = bytes
        self.isThrottled = isThrottled
        self.keepsDowntimeLimit = keepsDowntimeLimit
    }
}

/// Why a move is planned.
package enum PlannedFor: String, Hashable, Sendable, Codable, CaseIterable {
    case balance, drain, room, stopover, `return`, request
}
