// Tests whether a page is all zero. Most pages are not, and most of those have a nonzero byte near their start.

import Model

/// - Parameter page: `pageBytes` bytes, aligned to 16, that do not change meanwhile.
@inline(__always)
package func isZeroPage(at page: UnsafeRawPointer) -> Bool {
    var offset = 0
    while offset < pageBytes {
        var block = SIMD8<UInt64>(repeating: 0)
        for part in 0..<4 {
            unsafe block |= page.loadUnaligned(
                fromByteOffset: offset + part * 64, as: SIMD8<UInt64>.self)
        }
        if block != SIMD8(repeating: 0) { return false }
        offset += 256
    }
    return true
}
