// An open file descriptor with one owner: closed when the owner goes.

import Glibc

/// Owns a descriptor. A class so that it can stand in arrays and be shared by threads; the number never changes.
package final class Descriptor: Sendable {
    package let number: Int32

    /// Takes over an open descriptor.
    package init(owning number: Int32) { self.number = number }

    deinit { _ = close(number) }

    package static func openFile(
        at path: String, flags: Int32, mode: UInt32 = 0o600
    ) throws(SystemError) -> Descriptor {
        Descriptor(
            owning: try checkedSystemCall(named: "open(\(path))") {
                unsafe Glibc.open(path, flags | O_CLOEXEC, mode)
            })
    }

    package func duplicate() throws(SystemError) -> Descriptor {
        Descriptor(
            owning: try checkedSystemCall(named: "fcntl(F_DUPFD_CLOEXEC)") {
                fcntl(number, F_DUPFD_CLOEXEC, 0)
            })
    }

    /// Another number for the same open file, close-on-exec, for an owner that takes numbers and closes them.
    package func surrenderDuplicate() throws(SystemError) -> Int32 {
        try checkedSystemCall(named: "fcntl(F_DUPFD_CLOEXEC)") { fcntl(number, F_DUPFD_CLOEXEC, 0) }
    }

    /// Bytes in the file.
    package func sizeInBytes() throws(SystemError) -> Int {
        var status = stat()
        try checkedSystemCall(named: "fstat") { unsafe fstat(number, &status) }
        return Int(status.st_size)
    }

    /// Bytes that take up space: less than the size where the file has holes.
    package func allocatedBytes() throws(SystemError) -> Int {
        var status = stat()
        try checkedSystemCall(named: "fstat") { unsafe fstat(number, &status) }
        return Int(status.st_blocks) * 512
    }

    package func truncateFile(toBytes size: Int) throws(SystemError) {
        try checkedSystemCall(named: "ftruncate") { ftruncate(number, size) }
    }

    /// Reads up to the buffer's size at the current position; 0 at the end.
    package func readAvailable(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError)
        -> Int
    {
        try checkedSystemCall(named: "read") {
            unsafe Glibc.read(number, buffer.baseAddress, buffer.count)
        }
    }

    /// Up to `count` bytes at the current position; none at the end.
    package func readAvailable(upTo count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let filled = try checkedSystemCall(named: "read") {
            unsafe bytes.withUnsafeMutableBytes {
                unsafe Glibc.read(number, $0.baseAddress, $0.count)
            }
        }
        bytes.removeLast(count - filled)
        return bytes
    }

    /// Fills the buffer from an offset on; a file that ends before that fails with EIO.
    package func readFully(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(SystemError) {
        var done = 0
        while done < buffer.count {
            let count = try checkedSystemCall(named: "pread") {
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                return unsafe pread(number, rest.baseAddress, rest.count, offset + done)
            }
            if count == 0 { throw SystemError(call: "pread", code: EIO) }
            done += count
        }
    }

    /// The same as an array.
    package func readBytes(at offset: Int, count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = unsafe bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(SystemError) in try unsafe readFully(into: buffer, at: offset) }
        }
        try result.get()
        return bytes
    }

    /// Writes all of it at the current position.
    package func writeAllBytes(of buffer: UnsafeRawBufferPointer) throws(SystemError) {
        var done = 0
        while done < buffer.count {
            done += try checkedSystemCall(named: "write") {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
                return unsafe Glibc.write(number, rest.baseAddress, rest.count)
            }
        }
    }

    /// Writes all of it at the current position.
    package func writeAllBytes(_ bytes: [UInt8]) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = try checkedSystemCall(named: "write") {
                unsafe rest.withUnsafeBytes { unsafe Glibc.write(number, $0.baseAddress, $0.count) }
            }
            rest = rest.dropFirst(written)
        }
    }

    /// Writes all of it at an offset; the position stays.
    package func writeAllBytes(_ bytes: RawSpan, at offset: Int) throws(SystemError) {
        var written = 0
        while written < bytes.byteCount {
            written += try checkedSystemCall(named: "pwrite") {
                unsafe bytes.withUnsafeBytes {
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: $0[written...])
                    return unsafe pwrite(number, rest.baseAddress, rest.count, offset + written)
                }
            }
        }
    }
}
