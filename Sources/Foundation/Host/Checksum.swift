// CRC-32C by the CPU's own instruction, for what is too big for the table of Wire's.

internal import CLinux

/// The same CRC-32C as Wire's, over memory.
package func crc32cChecksum(of bytes: UnsafeRawBufferPointer, after checksum: UInt32 = 0) -> UInt32
{
    unsafe ferry_crc32c(checksum, bytes.baseAddress, bytes.count)
}

/// The same CRC-32C as Wire's, over a part of an array.
package func crc32cChecksum(of bytes: ArraySlice<UInt8>, after checksum: UInt32 = 0) -> UInt32 {
    unsafe bytes.withUnsafeBytes { unsafe crc32cChecksum(of: $0, after: checksum) }
}
