// One migration of one guest, as it was seen from outside.

/// What the bench measures of a migration, the same for Ferry and for the peer.
struct Measurement: Codable, Sendable {
    var totalMs: Double
    var downtimeMs: Double
    var longestHeartbeatGapMs: Double
    /// CPU time of all processes of both ends while it moved, the guest's own work included.
    var cpuSeconds: Double
    var wireMiB: Double
    /// Wrong pages that the guest counted, before, during and after.
    var guestErrors: Int
}

/// A figure of `Measurement` with its name in tables.
struct Figure {
    let name: String
    let value: @Sendable (Measurement) -> Double

    static let all = [
        Figure(name: "total ms") { $0.totalMs },
        Figure(name: "downtime ms") { $0.downtimeMs },
        Figure(name: "heartbeat gap ms") { $0.longestHeartbeatGapMs },
        Figure(name: "CPU s") { $0.cpuSeconds },
        Figure(name: "wire MiB") { $0.wireMiB },
    ]
}

/// The middle value; the mean of the two middle ones when their number is even.
func computeMedian(of values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
