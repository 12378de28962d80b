// All limits of the peer protocol's control messages and of a migration's rounds.

/// Limits of the migration protocol.
package enum Limits {
    package static let versionMin: UInt16 = 2
    package static let versionMax: UInt16 = 3
    /// An older destination does not know leases and would run a leased VM without one.
    package static let versionOfLeases: UInt16 = 3

    /// The saved state of all parts except memory.
    package static let stateBytesMax = 16 << 20
    /// The body of any other message.
    package static let bodyBytesMax = 128 << 10
    package static let textBytesMax = 4096
    package static let detailsMax = 256
    package static let detailBytesMax = 256
    package static let featuresMax = 1024
    package static let featureBytesMax = 64
    package static let streamsMax = 16
    package static let tokenBytes = 32
    /// The page hashes in one message.
    package static let hashesMax = 4096

    package static let roundsMax = 30
    /// Rounds without progress at full throttle before giving up.
    package static let stuckRoundsMax = 3
    /// With this few pages another round is not worthwhile.
    package static let fewPages = 64
    /// A round with this many pages shows the cost of a page; in a smaller round other costs dominate.
    package static let manyPages = 1024
    /// The factor by which a page of a small round may be more expensive.
    package static let smallRoundFactor = 8.0
    /// Rounds of few pages that are tried when the downtime would exceed the limit: the cause may be temporary.
    package static let fewPagesRoundsMax = 5
    package static let throttleSteps = [20, 40, 60, 80, 90, 95]
}
