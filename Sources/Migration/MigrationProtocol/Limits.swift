// Every bound of the peer protocol's control messages and of a migration's rounds.

/// Bounds of the migration protocol.
package enum Limits {
    package static let versionMin: UInt16 = 2
    package static let versionMax: UInt16 = 3
    /// An older destination does not know what a lease is, and would run a leased VM without one.
    package static let versionOfLeases: UInt16 = 3

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
    /// Page hashes in one message.
    package static let hashesMax = 4096

    package static let roundsMax = 30
    /// Rounds without progress at full throttle before giving up.
    package static let stuckRoundsMax = 3
    /// So few pages are not worth another round.
    package static let fewPages = 64
    /// A round of so many pages shows what a page costs; in a smaller one other things weigh more.
    package static let manyPages = 1024
    /// How much dearer a page of a small round may be.
    package static let smallRoundFactor = 8.0
    /// Rounds of few pages that are tried when the pause would not fit: what is in the way may pass.
    package static let fewPagesRoundsMax = 5
    package static let throttleSteps = [20, 40, 60, 80, 90, 95]
}
