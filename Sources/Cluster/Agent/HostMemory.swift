// How much memory the host has and could still give, from /proc/meminfo.

import Host
import Model

/// A reading of /proc/meminfo.
struct HostMemory: Hashable, Sendable {
    var totalBytes: UInt64 = 0
    var availableBytes: UInt64 = 0
    var freeHugePageBytes: UInt64 = 0

    static func read() throws(SystemError) -> HostMemory {
        HostMemory(
            meminfo: String(
                decoding: try File.read("/proc/meminfo", limit: 1 << 20), as: UTF8.self))
    }

    /// Lines such as "MemTotal:  24512345 kB"; what is not there counts as 0.
    init(meminfo: String) {
        var values: [Substring: UInt64] = [:]
        for line in meminfo.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 2, let value = UInt64(words[1]) else { continue }
            values[words[0].dropLast()] = value
        }
        totalBytes = (values["MemTotal"] ?? 0) << 10
        availableBytes = (values["MemAvailable"] ?? 0) << 10
        freeHugePageBytes = (values["HugePages_Free"] ?? 0) * ((values["Hugepagesize"] ?? 0) << 10)
    }

    /// Why a guest of this size does not fit; nil when it does.
    /// - Parameters:
    ///   - promised: memory of other guests that they have not taken up yet.
    ///   - reserve: what is kept back.
    func problem(
        for spec: VMSpec, promised: UInt64, reserve: ByteCount
    ) -> String? {
        let memory = spec.memory
        if spec.hugePages {
            guard memory.bytes > freeHugePageBytes else { return nil }
            return
                "\(memory) of huge pages are needed and \(mebibytes(freeHugePageBytes)) are free: raise vm.nr_hugepages, or do without huge pages"
        }
        let (kept, isTooMuch) = promised.addingReportingOverflow(reserve.bytes)
        let free = isTooMuch ? 0 : availableBytes - min(availableBytes, kept)
        guard memory.bytes > free else { return nil }
        return
            "not enough memory: \(memory) are needed and \(mebibytes(free)) are free (available \(mebibytes(availableBytes)), promised to other VMs \(mebibytes(promised)), kept back \(mebibytes(reserve.bytes)))"
    }

    private func mebibytes(_ bytes: UInt64) -> String { "\(bytes >> 20)MiB" }
}
