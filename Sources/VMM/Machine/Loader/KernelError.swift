// What can be wrong with a kernel, an initrd or a command line.

package import Host
import Model

/// Why a guest cannot be booted from what it was given.
package enum KernelError: Error, Hashable, Sendable, CustomStringConvertible {
    case unreadable(SystemError)
    case tooLarge(what: String, bytes: Int, limit: Int)
    /// Neither ELF nor bzImage.
    case notAKernel
    case truncated(field: String)
    case invalid(field: String, value: UInt64)
    /// An ELF file that says no entry point for PVH.
    case noPVHNote
    case outsideMemory(what: String, address: UInt64, bytes: UInt64)
    case commandLineTooLong(bytes: Int, limit: Int)

    package var description: String {
        switch self {
        case .unreadable(let error): "the kernel's files cannot be read: \(error)"
        case .tooLarge(let what, let bytes, let limit):
            "the \(what) has \(bytes) bytes: at most \(limit)"
        case .notAKernel:
            "the kernel's file is no kernel: it is neither an ELF file nor a Linux bzImage"
        case .truncated(let field): "the kernel's file is cut off: its \(field) is not all there"
        case .invalid(let field, let value):
            "the kernel's file is damaged or not for this machine: its \(field) cannot be \(value)"
        case .noPVHNote:
            "the kernel's file is ELF but has no PVH entry point (note 'Xen', type 18): build Linux with CONFIG_PVH=y, or use a bzImage"
        case .outsideMemory(let what, let address, let bytes):
            "the \(what) does not fit the guest's memory: \(bytes) bytes at 0x\(address.hexadecimal)"
        case .commandLineTooLong(let bytes, let limit):
            "the command line has \(bytes) bytes, this kernel takes \(limit)"
        }
    }
}
