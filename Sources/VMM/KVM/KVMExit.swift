// Why a vCPU came back from KVM_RUN.

internal import CLinux

/// Something that is for the VMM to do. The data of port and MMIO accesses are in `withExitData`.
package enum KVMExit: Hashable, Sendable {
    case portWrite(port: UInt16, size: Int, count: Int)
    case portRead(port: UInt16, size: Int, count: Int)
    case memoryWrite(address: UInt64, size: Int)
    case memoryRead(address: UInt64, size: Int)
    /// A signal or `immediateExit`: nothing is left open.
    case interrupted
    /// Run again: an application processor waits to be started.
    case again
    /// `hlt` without an interrupt chip in the kernel.
    case halted
    /// Triple fault.
    case shutdown
    case failedEntry(reason: UInt64, cpu: UInt32)
    /// KVM could not go on. `bytes` are those of the instruction, where KVM knows them.
    case internalError(suberror: UInt32, bytes: [UInt8])
    case other(reason: UInt32)

    init(_ shared: UnsafePointer<kvm_run>) {
        let reason = unsafe shared.pointee.exit_reason
        switch Int32(bitPattern: reason) {
        case KVM_EXIT_IO:
            let io = unsafe shared.pointee.io
            self =
                Int32(io.direction) == KVM_EXIT_IO_OUT
                ? .portWrite(port: io.port, size: Int(io.size), count: Int(io.count))
                : .portRead(port: io.port, size: Int(io.size), count: Int(io.count))
        case KVM_EXIT_MMIO:
            let access = unsafe shared.pointee.mmio
            self =
                access.is_write != 0
                ? .memoryWrite(address: access.phys_addr, size: Int(access.len))
                : .memoryRead(address: access.phys_addr, size: Int(access.len))
        case KVM_EXIT_INTR: self = .interrupted
        case KVM_EXIT_HLT: self = .halted
        case KVM_EXIT_SHUTDOWN: self = .shutdown
        case KVM_EXIT_FAIL_ENTRY:
            let failure = unsafe shared.pointee.fail_entry
            self = .failedEntry(
                reason: failure.hardware_entry_failure_reason, cpu: failure.cpu)
        case KVM_EXIT_INTERNAL_ERROR:
            let error = unsafe shared.pointee.internal
            self = .internalError(
                suberror: error.suberror, bytes: unsafe Self.instructionBytes(in: shared))
        default: self = .other(reason: reason)
        }
    }

    private static func instructionBytes(in shared: UnsafePointer<kvm_run>) -> [UInt8] {
        let failure = unsafe shared.pointee.emulation_failure
        // The first data word is `flags`, the next two hold the bytes.
        guard failure.suberror == KVM_INTERNAL_ERROR_EMULATION, failure.ndata >= 3,
            failure.flags & 1 != 0
        else { return [] }
        return unsafe withUnsafeBytes(of: failure.insn_bytes) {
            unsafe Array($0.prefix(Int(failure.insn_size)))
        }
    }
}
