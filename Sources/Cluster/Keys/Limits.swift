// How long certificates live and how big key files may be.

/// Bounds of the keys.
package enum Limits {
    package static let authorityValidity = Duration.seconds(10 * 365 * 24 * 3600)
    package static let daysDefault = 365
    package static let daysMax = 3650
    /// A certificate is valid from a little before it is made, for hosts whose clocks are behind.
    package static let backdated = Duration.seconds(3600)
    package static let fileBytesMax = 64 << 10
    package static let serialBytes = 16
}
