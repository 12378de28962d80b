// How much memory the host has and how much is available, from /proc/meminfo.

import Host
import Model

/// A reading of /proc/meminfo.
struct HostMemory: Hashable, Sendable {
    var totalBytes: UInt64 = 0
    var availableBytes: UInt64 = 0
    var freeHugePageBytes: UInt64 = 0

    static func readFromProc() throws(SystemError) -> HostMemory {
        HostMemory(
            meminfo: String(
                decoding: try File.readContents(at: "/proc/meminfo", limit: 1 << 20), as: UTF8.self)
        )
    }

    /// Lines such as "MemTotal:  24512345 kB"; a missing line counts as 0.
    init(meminfo: String) {
        var values: [Substring: UInt64] = [:]
        for line in meminfo.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count >= 2, let value = UInt64(fields[1]) else { continue }
            values[fields[0].dropLast()] = value
        }
        totalBytes = (values["MemTotal"] ?? 0) << 10
        availableBytes = (values["MemAvailable"] ?? 0) << 10
        freeHugePageBytes = (values["HugePages_Free"] ?? 0) * ((values["Hugepagesize"] ?? 0) << 10)
    }

    /// Why a guest of this size does not fit; nil when it does.
    /// - Parameters:
    ///   - reserved: memory of other guests that the host has not given to them yet.
    ///   - kept: what is kept back for the host itself.
    func describeShortage(
        for spec: VMSpec, reserved: UInt64, hostReserve kept: ByteCount
    ) -> String? {
        let memory = spec.memory
        if spec.hugePages {
            guard memory.bytes > freeHugePageBytes else { return nil }
            return
                "\(memory) of huge pages are needed and \(mebibytesText(bytes: freeHugePageBytes)) are free: raise vm.nr_hugepages, or do not use huge pages"
        }
        let (unavailable, isTooMuch) = reserved.addingReportingOverflow(kept.bytes)
        let free = isTooMuch ? 0 : availableBytes - min(availableBytes, unavailable)
        guard memory.bytes > free else { return nil }
        return
            "not enough memory: \(memory) are needed and \(mebibytesText(bytes: free)) are free (available \(mebibytesText(bytes: availableBytes)), reserved for other VMs \(mebibytesText(bytes: reserved)), kept back \(mebibytesText(bytes: kept.bytes)))"
    }

    private func mebibytesText(bytes: UInt64) -> String { "\(bytes >> 20)MiB" }
}
