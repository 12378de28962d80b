// All limits of the page codec.

import Model

/// Limits of chunks, batches and frames on a data stream.
package enum Limits {
    /// Pages in a chunk, the unit of memory that is always sent on the same stream: 2 MiB.
    package static let chunkPages = 512
    /// Pages in one batch, which is compressed as one block.
    package static let batchPagesMax = 32
    package static let batchBytesMax = batchPagesMax * pageBytes
    /// A chunk cannot have more runs of zero pages than this.
    package static let zeroRangesMax = chunkPages / 2
    /// Bytes of the body of any frame: the page numbers and a batch that could not be compressed.
    package static let frameBodyBytesMax = PageFrameHeader.indexBytes + batchBytesMax
    /// The bytes that an encoder collects before it sends.
    package static let sendBufferBytes = 2 * (PageFrameHeader.bytes + frameBodyBytesMax)
    /// A compressed batch must be at least this much smaller; otherwise it is sent raw.
    package static let savedBytesMin = batchBytesMax / 32
    package static let zstdLevel: Int32 = 1
    package static let zlibLevel: Int32 = 1
    package static let lz4Acceleration: Int32 = 1
}
