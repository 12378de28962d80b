// One virtual CPU of KVM's: running it and learning why it stopped. Its state is in the files beside this one.

internal import CLinux
package import Host
import Glibc

/// A vCPU's descriptor and the area it shares with the kernel.
///
/// All but `immediateExit` is for one thread at a time: the vCPU's own, or another while that one is parked.
@safe package final class KVMVCPU: @unchecked Sendable {
    /// `@unchecked`: see above; the area is mapped as long as this object lives.
    package let id: Int
    let descriptor: Descriptor
    let xsaveBytes: Int
    private let area: Mapping

    init(_ descriptor: Descriptor, id: Int, area: Mapping, xsaveBytes: Int) {
        self.descriptor = descriptor
        self.id = id
        self.area = area
        self.xsaveBytes = xsaveBytes
    }

    private var shared: UnsafeMutablePointer<kvm_run> {
        unsafe area.base.assumingMemoryBound(to: kvm_run.self)
    }

    /// Makes the next `run` return `.interrupted` once it has completed what the last exit left open.
    package var immediateExit: Bool {
        get { unsafe shared.pointee.immediate_exit != 0 }
        set { unsafe shared.pointee.immediate_exit = newValue ? 1 : 0 }
    }

    /// The data of the last port or MMIO exit: `size * count` bytes to take, or to fill in before the next
    /// `run`. Only valid until then.
    package func withExitData<Value>(
        body: (UnsafeMutableRawBufferPointer) -> Value
    ) -> Value {
        switch unsafe Int32(bitPattern: shared.pointee.exit_reason) {
        case KVM_EXIT_IO:
            let io = unsafe shared.pointee.io
            let count = Int(io.size) * Int(io.count)
            precondition(
                Int(io.data_offset) + count <= area.count, "KVM's data lie outside its own area")
            return unsafe body(
                UnsafeMutableRawBufferPointer(
                    start: area.base + Int(io.data_offset), count: count))
        case KVM_EXIT_MMIO:
            return unsafe withUnsafeMutableBytes(of: &shared.pointee.mmio.data) { bytes in
                let count = unsafe min(bytes.count, Int(shared.pointee.mmio.len))
                return unsafe body(UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
            }
        default:
            return unsafe body(UnsafeMutableRawBufferPointer(start: nil, count: 0))
        }
    }

    /// Runs guest code until something is for the VMM to do.
    package func runUntilExit() throws(SystemError) -> KVMExit {
        let result = ferry_kvm_run(descriptor.number)
        guard result >= 0 else {
            switch -result {
            case EINTR: return .interrupted
            case EAGAIN: return .again
            default: throw SystemError(call: "KVM_RUN", code: -result)
            }
        }
        return unsafe KVMExit(shared)
    }
}
