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
        hash.add(requests.count)
        hash.add(Int(truncatingIfNeeded: end.nanoseconds))
        for request in requests { add(request, to: &hash) }
        for host in hosts {
            hash.add(host.capacity.milliCPUs)
            hash.add(host.capacity.memoryBytes)
            host.name.utf8.forEach { hash.add(Int($0)) }
        }
        return hash.text
    }

    private func add(_ request: VMRequest, to hash: inout FNVHash) {
        hash.add(Int(request.arrival.nanoseconds))
        hash.add(Int(request.departure.nanoseconds))
        hash.add(Int(request.milliCPUs))
        hash.add(Int(request.memoryBytes))
        hash.add(Int(request.groupSet))
        guard request.series >= 0 else { return }
        let interval = utilisation.series[Int(request.series)].interval
        for step in 0..<Self.agesLookedAt {
            let share = utilisation.cpuShare(request.series, after: interval * (step * step))
            hash.add(Int(truncatingIfNeeded: share.bitPattern))
        }
    }
}

private struct FNVHash {
    private var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ word: Int) {
        value ^= UInt64(bitPattern: Int64(word))
        value &*= 0x100_0000_01b3
    }

    var text: String { value.hexadecimal(digits: 16) }
}
