// Every bound of the peer protocol's control messages and of a migration's rounds.

/// Bounds of the migration protocol.
package enum Limits {
    package static let versionMin: UInt16 = 1
    package static let versionMax: UInt16 = 1

    /// Saved state of all owners but memory.
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

    package static let roundsMax = 30
    /// Rounds without progress at full throttle before giving up.
    package static let stuckRoundsMax = 3
    /// So few pages are not worth another round.
    package static let fewPages = 64
    package static let throttleSteps = [20, 40, 60, 80, 90, 95]
}
