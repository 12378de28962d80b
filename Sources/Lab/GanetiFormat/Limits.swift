// Bounds of what is read.

package enum Limits {
    package static let fileBytesMax = 256 << 20
    static let linesMax = 4 << 20
    /// MiB; cores and spindles: far more than any machine has, far less than sums can hold.
    static let mebibytesMax = 1 << 30
    static let coresMax = 1 << 20
}
