// The parts of a vCPU's state that are lists: CPUID and the model-specific registers.

internal import CLinux
package import Host

/// A model-specific register and its value.
package struct MSR: Hashable, Sendable {
    package var index: UInt32
    package var value: UInt64

    package init(index: UInt32, value: UInt64) {
        self.index = index
        self.value = value
    }
}

extension KVMVCPU {
    /// Must come before the vCPU runs for the first time.
    package func setCPUIDEntries(_ entries: [CPUIDEntry]) throws(SystemError) {
        let list = CPUIDEntry.makeCPUIDList(of: entries)
        try checkedWrapperCall(named: "KVM_SET_CPUID2") {
            unsafe list.withUnsafeBytes {
                unsafe ferry_kvm_set_cpuid2(descriptor.number, $0.baseAddress)
            }
        }
    }

    /// Reads MSRs in order, up to the first that cannot be read here.
    package func readMSRs(indices: ArraySlice<UInt32>) throws(SystemError) -> [MSR] {
        var words = Self.encodeMSRList(of: indices.map { MSR(index: $0, value: 0) })
        let count = try checkedWrapperCall(named: "KVM_GET_MSRS") {
            unsafe words.withUnsafeMutableBytes {
                unsafe ferry_kvm_get_msrs(descriptor.number, $0.baseAddress)
            }
        }
        return (0..<Int(count)).map {
            MSR(index: UInt32(truncatingIfNeeded: words[1 + 2 * $0]), value: words[2 + 2 * $0])
        }
    }

    /// Sets MSRs in order and returns how many were set before the first that cannot be.
    package func writeMSRs(_ msrs: ArraySlice<MSR>) throws(SystemError) -> Int {
        let words = Self.encodeMSRList(of: Array(msrs))
        return Int(
            try checkedWrapperCall(named: "KVM_SET_MSRS") {
                unsafe words.withUnsafeBytes {
                    unsafe ferry_kvm_set_msrs(descriptor.number, $0.baseAddress)
                }
            })
    }

    /// Those of `indices` that can be read here. One call for each that cannot: ask once, not at each save.
    package func readableMSRs(of indices: [UInt32]) throws(SystemError) -> [UInt32] {
        var readable: [UInt32] = []
        var rest = indices[...]
        while !rest.isEmpty {
            let read = try readMSRs(indices: rest).map(\.index)
            readable += read
            rest = rest.dropFirst(read.count + 1)
        }
        return readable
    }

    // struct kvm_msrs in 64-bit words: count, then index and value of each.
    private static func encodeMSRList(of msrs: [MSR]) -> [UInt64] {
        var words: [UInt64] = []
        words.reserveCapacity(1 + 2 * msrs.count)
        words.append(UInt64(msrs.count))
        for msr in msrs {
            words.append(UInt64(msr.index))
            words.append(msr.value)
        }
        return words
    }
}
