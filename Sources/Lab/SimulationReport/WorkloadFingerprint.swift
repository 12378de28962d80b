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
        hash.addWord(requests.count)
        hash.addWord(Int(truncatingIfNeeded: end.nanoseconds))
        for request in requests { addRequest(request, to: &hash) }
        for host in hosts {
            hash.addWord(host.capacity.milliCPUs)
            hash.addWord(host.capacity.memoryBytes)
            host.name.utf8.forEach { hash.addWord(Int($0)) }
        }
        return hash.text
    }

    private func addRequest(_ request: VMRequest, to hash: inout FNVHash) {
        hash.addWord(Int(request.arrival.nanoseconds))
        hash.addWord(Int(request.departure.nanoseconds))
        hash.addWord(Int(request.milliCPUs))
        hash.addWord(Int(request.memoryBytes))
        hash.addWord(Int(request.groupSet))
        guard request.series >= 0 else { return }
        let interval = utilisation.series[Int(request.series)].interval
        for step in 0..<Self.agesLookedAt {
            let share = utilisation.cpuShare(inRow: request.series, after: interval * (step * step))
            hash.addWord(Int(truncatingIfNeeded: share.bitPattern))
        }
    }
}

private struct FNVHash {
    private var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func addWord(_ word: Int) {
        value ^= UInt64(bitPattern: Int64(word))
        value &*= 0x100_0000_01b3
    }

    var text: String { value.hexadecimal(digits: 16) }
}
