// A number that tells workloads apart: shards of a sweep must have met the same one, whatever its file was called.

import Model
import Placement
package import Simulation

extension Workload {
    /// Moments of its life at which a VM's use is looked at.
    private static let agesLookedAt = 16

    /// Of every request, of samples of what each uses, and of the hosts; 16 hexadecimal digits. FNV-1a (Fowler, Noll,
    /// Vo) over 64-bit words: it tells apart, it does not protect.
    package var fingerprint: String {
        var hash = FNVHash()
        hash.combineWord(requests.count)
        hash.combineWord(Int(truncatingIfNeeded: end.nanoseconds))
        for request in requests { hashRequest(request, into: &hash) }
        for host in hosts {
            hash.combineWord(host.capacity.milliCPUs)
            hash.combineWord(host.capacity.memoryBytes)
            host.name.utf8.forEach { hash.combineWord(Int($0)) }
        }
        return hash.text
    }

    private func hashRequest(_ request: VMRequest, into hash: inout FNVHash) {
        hash.combineWord(Int(request.arrival.nanoseconds))
        hash.combineWord(Int(request.departure.nanoseconds))
        hash.combineWord(Int(request.milliCPUs))
        hash.combineWord(Int(request.memoryBytes))
        hash.combineWord(Int(request.groupSet))
        guard request.series >= 0 else { return }
        let interval = utilisation.series[Int(request.series)].interval
        for step in 0..<Self.agesLookedAt {
            let share = utilisation.sampledCPUShare(
                inRow: request.series, after: interval * (step * step))
            hash.combineWord(Int(truncatingIfNeeded: share.bitPattern))
        }
    }
}

private struct FNVHash {
    private var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func combineWord(_ word: Int) {
        value ^= UInt64(bitPattern: Int64(word))
        value &*= 0x100_0000_01b3
    }

    var text: String { value.hexadecimal(digits: 16) }
}
