// The most private memory that processes had: what is theirs alone, not the guest memory that they map.

import Foundation
import Host
import Synchronization

/// Watches until `end`, which returns the peaks in the order of the processes.
package final class PeakMemory: Sendable {
    private let peaks: Mutex<[UInt64]>
    private let isOver = Atomic(false)
    private let thread = Mutex<NamedThread?>(nil)

    package init(of processes: [Int32]) throws {
        peaks = Mutex(processes.map { _ in 0 })
        let started = try NamedThread(name: "peak-memory") { [self] in
            while !isOver.load(ordering: .acquiring) {
                for (index, id) in processes.enumerated() {
                    let bytes = Self.privateBytes(processID: id)
                    peaks.withLock { $0[index] = max($0[index], bytes) }
                }
                Thread.sleep(forTimeInterval: 0.005)
            }
        }
        thread.withLock { $0 = started }
    }

    package func finishWatching() -> [UInt64] {
        isOver.store(true, ordering: .releasing)
        thread.withLock { $0?.joinThread() }
        return peaks.withLock { $0 }
    }

    /// RssAnon of a process; 0 when it has ended.
    private static func privateBytes(processID id: Int32) -> UInt64 {
        guard let text = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") })
        else { return 0 }
        return line.split(separator: " ").compactMap { UInt64($0) }.first.map { $0 << 10 } ?? 0
    }
}
