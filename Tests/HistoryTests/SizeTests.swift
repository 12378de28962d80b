// A day of a large cluster stays small.

import History
import Model
import Testing

@Suite("Size of a history")
struct SizeTests {
    /// 1,000 VMs, read every 10 seconds. Each VM's CPU goes its own way (a first-order autoregression whose time constant
    /// is ten minutes, as wide as 15 % of its cores), over that a day's swing; its memory grows and shrinks in an hour.
    /// An hour of it stands for a day.
    @Test func `A day of 1,000 VMs is less than 100 MB`() throws {
        let file = HistoryFile()
        var writer = try HistoryWriter(path: file.path, header: header())
        var lots = SplitMix64(seed: 7)
        var vms: [(name: VMName, vcpus: Int, memory: Int64, share: Double, noise: Double)] = []
        for number in 0..<1000 {
            let vcpus = [1, 2, 4, 8][lots.drawNumber(below: 4)]
            let described = vm("service-\(number)", UInt64(number), vcpus: vcpus)
            try writer.writeEntry(HistoryEntry(t: 0, line: .vm(described)))
            vms.append(
                (described.name, vcpus, described.memoryBytes, 0.05 + 0.5 * lots.drawFraction(), 0))
        }
        let before = writer.bytes
        let hold = 1 - 10.0 / 600
        for step in 0..<360 {
            var readings: [VMName: VMReading] = [:]
            for index in vms.indices {
                let vm = vms[index]
                // The sum of twelve is near enough to normal.
                let normal = (0..<12).reduce(-6.0) { sum, _ in sum + lots.drawFraction() }
                vms[index].noise = hold * vm.noise + 0.15 * (1 - hold * hold).squareRoot() * normal
                let share = min(max(vm.share + vms[index].noise, 0.002), 1)
                let memory = 0.5 + 0.2 * Double((step + index) % 360) / 360
                readings[vm.name] = VMReading(
                    cores: share * Double(vm.vcpus),
                    memoryBytes: Int64(memory * Double(vm.memory)),
                    dirtyBytesPerSecond: Int64(share * 2e7))
            }
            for line in writer.recordedState.changedLines(forVMs: readings, hosts: [:]) {
                try writer.writeEntry(HistoryEntry(t: Int64(step) * 10_000, line: line))
            }
        }
        let day = (writer.bytes - before) * 24
        #expect(day < 100 << 20, "\(day >> 20) MiB")
        #expect(day > 1 << 20)
    }
}
