// Every bound of the page codec.

/// Bounds of batches of pages.
package enum Limits {
    /// Pages in one batch, which is compressed as one block.
    package static let batchPagesMax = 32
}
