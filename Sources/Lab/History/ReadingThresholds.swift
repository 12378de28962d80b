// How far a reading must be from the last one written to be written itself.
//
// What a history says of a load is so never further from what was measured than one step, and a load that trembles
// costs nothing. The step is the larger of a fixed part, below which nothing depends on it, and a share:
//
//   VM's cores     0.05 core    or 5 % of its vCPUs        host's cores    0.1 core  or 2 % of its cores
//   VM's memory    16 MiB       or 2 % of its memory       host's memory   64 MiB    or 1 % of its memory
//   dirty rate     1 MiB/s      or a quarter of the rate last written
//
// Zero is written exactly: an idle VM is idle.

import Model

enum ReadingThresholds {
    static func isWorthRecording(_ new: VMReading, after old: VMReading?, of vm: RecordedVM) -> Bool
    {
        guard let old else { return true }
        let dirtyStep = max(Double(1 << 20), 0.25 * Double(old.dirtyBytesPerSecond ?? 0))
        return hasChangedEnough(
            to: new.cores, from: old.cores, step: max(0.05, 0.05 * Double(vm.vcpus)))
            || hasChangedEnough(
                to: Double(new.memoryBytes), from: Double(old.memoryBytes),
                step: max(Double(16 << 20), 0.02 * Double(vm.memoryBytes)))
            || (new.dirtyBytesPerSecond == nil) != (old.dirtyBytesPerSecond == nil)
            || hasChangedEnough(
                to: Double(new.dirtyBytesPerSecond ?? 0),
                from: Double(old.dirtyBytesPerSecond ?? 0),
                step: dirtyStep)
    }

    static func isWorthRecording(_ new: HostReading, after old: HostReading?, of host: RecordedHost)
        -> Bool
    {
        guard let old else { return true }
        return hasChangedEnough(
            to: new.cores, from: old.cores, step: max(0.1, 0.02 * Double(host.cores)))
            || hasChangedEnough(
                to: Double(new.memoryBytes), from: Double(old.memoryBytes),
                step: max(Double(64 << 20), 0.01 * Double(host.memoryBytes)))
    }

    private static func hasChangedEnough(to new: Double, from old: Double, step: Double) -> Bool {
        abs(new - old) > step || (new == 0) != (old == 0)
    }
}

extension VMReading {
    /// As it is written: thousandths of a core; nil for what is no measurement.
    var written: VMReading? {
        guard cores.isFinite, cores >= 0, cores <= 0x1p20, memoryBytes >= 0 else { return nil }
        return VMReading(
            cores: (cores * 1000).rounded() / 1000,
            memoryBytes: min(memoryBytes, Limits.hostBytesMax),
            dirtyBytesPerSecond: dirtyBytesPerSecond.map { min(max($0, 0), Limits.hostBytesMax) })
    }
}

extension HostReading {
    var written: HostReading? {
        guard cores.isFinite, cores >= 0, cores <= 0x1p20, memoryBytes >= 0 else { return nil }
        return HostReading(
            cores: (cores * 1000).rounded() / 1000,
            memoryBytes: min(memoryBytes, Limits.hostBytesMax))
    }
}
