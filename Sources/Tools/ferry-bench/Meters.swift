// What a migration costs this machine: CPU time of processes, some of which end, and bytes on loopback.

import Foundation
import Host
import Synchronization
import Testbed

/// CPU seconds of processes from its making on. One that ends counts up to a few milliseconds before its end.
final class CPUMeter: Sendable {
    private static let interval = 0.005

    private let processes: [Int32]
    private let first: [Int32: Double]
    private let last: Mutex<[Int32: Double]>
    private let isOver = Atomic(false)
    private let thread: Mutex<NamedThread?> = Mutex(nil)

    init(processes: [Int32]) throws {
        self.processes = processes
        first = Dictionary(
            uniqueKeysWithValues: processes.map { ($0, ProcessFacts($0)?.cpuSeconds ?? 0) })
        last = Mutex(first)
        let started = try NamedThread(name: "cpu-meter") { [self] in
            while !isOver.load(ordering: .acquiring) {
                readCPUTimes()
                Thread.sleep(forTimeInterval: Self.interval)
            }
        }
        thread.withLock { $0 = started }
    }

    /// Ends the measurement; call once.
    func stopMeasuring() -> Double {
        isOver.store(true, ordering: .releasing)
        thread.withLock { $0?.joinThread() }
        readCPUTimes()
        return last.withLock { $0.reduce(0) { $0 + $1.value - (first[$1.key] ?? 0) } }
    }

    private func readCPUTimes() {
        for id in processes {
            if let seconds = ProcessFacts(id)?.cpuSeconds { last.withLock { $0[id] = seconds } }
        }
    }
}

/// Bytes sent on the loopback interface since the machine started: both ends' streams, acknowledgements included.
func loopbackBytes() throws -> UInt64 {
    let path = "/sys/class/net/lo/statistics/tx_bytes"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    guard let bytes = UInt64(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
        throw PeerError("\(path) holds no number")
    }
    return bytes
}
