// The files a guest boots from. They stay open, so that a reset can load them again.

package import Host
import Glibc

/// A kernel, perhaps an initrd, and a command line.
package struct BootSource: Sendable {
    package let kernel: Descriptor
    package let initrd: Descriptor?
    package let commandLine: String

    package init(kernel: Descriptor, initrd: Descriptor? = nil, commandLine: String = "") {
        self.kernel = kernel
        self.initrd = initrd
        self.commandLine = commandLine
    }

    package static func openFiles(
        kernelPath: String, initrdPath: String?, commandLine: String
    ) throws(KernelError) -> BootSource {
        do {
            let initrd: Descriptor?
            if let initrdPath {
                initrd = try Descriptor.openFile(at: initrdPath, flags: O_RDONLY)
            } else {
                initrd = nil
            }
            return BootSource(
                kernel: try Descriptor.openFile(at: kernelPath, flags: O_RDONLY), initrd: initrd,
                commandLine: commandLine)
        } catch { throw .unreadable(error) }
    }

    func readKernel() throws(KernelError) -> ImageBytes {
        let count = try checkedSize(of: kernel, name: "kernel", limit: Limits.kernelBytesMax)
        do { return ImageBytes(bytes: try kernel.readBytes(at: 0, count: count)) } catch {
            throw .unreadable(error)
        }
    }

    func initrdBytes() throws(KernelError) -> Int {
        guard let initrd else { return 0 }
        return try checkedSize(of: initrd, name: "initrd", limit: Limits.initrdBytesMax)
    }

    func readInitrd(into buffer: UnsafeMutableRawBufferPointer) throws(KernelError) {
        guard let initrd else { return }
        do { try unsafe initrd.readFully(into: buffer, at: 0) } catch { throw .unreadable(error) }
    }

    private func checkedSize(
        of file: Descriptor, name what: String, limit: Int
    ) throws(KernelError) -> Int {
        do {
            let bytes = try file.sizeInBytes()
            guard bytes <= limit else {
                throw KernelError.tooLarge(what: what, bytes: bytes, limit: limit)
            }
            return bytes
        } catch {
            throw typedError(error, converting: KernelError.unreadable)
        }
    }
}
