// The host's load from /proc: CPU time, memory, and the pressure stall shares of CPU, memory and I/O.

package import API
import Glibc
package import Host

package struct HostLoad: Hashable, Sendable {
    /// Of all cores since the machine started.
    package var busyTime = Duration.zero
    package var memoryUsedBytes: UInt64 = 0
    package var pressure = HostPressure()

    package init() {}

    /// A file that cannot be read counts as zero. Blocks.
    static func readFromProc() -> HostLoad {
        var load = HostLoad()
        if let stat = readProcFile(at: "/proc/stat") {
            load.busyTime = parseBusyTime(
                fromStat: stat, ticksPerSecond: sysconf(Int32(_SC_CLK_TCK)))
        }
        if let memory = try? HostMemory.readFromProc() {
            load.memoryUsedBytes = memory.totalBytes - min(memory.totalBytes, memory.availableBytes)
        }
        load.pressure = HostPressure(
            cpu: readProcFile(at: "/proc/pressure/cpu").flatMap(parsePressureShare),
            memory: readProcFile(at: "/proc/pressure/memory").flatMap(parsePressureShare),
            io: readProcFile(at: "/proc/pressure/io").flatMap(parsePressureShare))
        return load
    }

    private static func readProcFile(at path: String) -> String? {
        guard let bytes = try? File.readContents(at: path, limit: 1 << 20) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// From the line of all CPUs: "cpu  user nice system idle iowait irq softirq steal guest guest_nice". The time of
    /// guests is included in user and nice.
    package static func parseBusyTime(fromStat stat: String, ticksPerSecond: Int) -> Duration {
        guard let line = stat.split(separator: "\n").first, line.hasPrefix("cpu "),
            ticksPerSecond > 0
        else { return .zero }
        let ticks = line.split(separator: " ").dropFirst().map { Int64($0) ?? 0 }
        let busy = [0, 1, 2, 5, 6].reduce(Int64(0)) { $1 < ticks.count ? $0 &+ ticks[$1] : $0 }
        return .milliseconds(
            busy.multipliedReportingOverflow(by: 1000).partialValue / Int64(ticksPerSecond))
    }

    /// From "some avg10=0.12 avg60=0.05 avg300=0.01 total=3042".
    package static func parsePressureShare(from pressure: String) -> Double? {
        let fields = pressure.split(separator: "\n").first { $0.hasPrefix("some ") }?.split(
            separator: " ")
        return fields?.first { $0.hasPrefix("avg10=") }.flatMap { Double($0.dropFirst(6)) }
    }
}

/// The number of busy cores, from the CPU time at two moments.
package struct CPUMeter: Hashable, Sendable {
    private struct Reading: Hashable {
        let time: Duration
        let at: Instant
    }

    private var last: Reading?
    package private(set) var cores: Double?

    package init() {}

    /// A moment too close to the last one leaves the measurement as it is: CPU time comes in ticks.
    package mutating func recordReading(cpuTime time: Duration, at now: Instant) {
        guard let last else {
            self.last = Reading(time: time, at: now)
            return
        }
        let window = now - last.at
        guard window >= Timing.loadWindow else { return }
        cores = max(0, (time - last.time) / window)
        self.last = Reading(time: time, at: now)
    }
}
