// What hosts did beside their VMs: their own load, as a mean over the history.

import Placement

extension History {
    /// The host's load less that of the VMs that stood there. Where agents share one machine, each reports all of it.
    var ownUse: [MeasuredUse] {
        var vmWork = [(cores: Double, memoryBytes: Double)](
            repeating: (0, 0), count: hosts.count)
        for stay in stays {
            for (host, from, to) in hostIntervals(of: stay) {
                guard let mean = LoadSeries(readings[stay.vm], from: from, to: to).mean else {
                    continue
                }
                vmWork[host].cores += mean.cores * Double(to - from)
                vmWork[host].memoryBytes += mean.memoryBytes * Double(to - from)
            }
        }
        let time = Double(max(end, 1))
        return hosts.indices.map { host in
            guard let mean = LoadSeries(hostReadings[host], from: 0, to: max(end, 1)).mean else {
                return .none
            }
            return MeasuredUse(
                cores: max(0, mean.cores - vmWork[host].cores / time),
                memoryBytes: max(0, mean.memoryBytes - vmWork[host].memoryBytes / time))
        }
    }

    /// Where a stay's VM was, from when to when.
    func hostIntervals(of stay: Stay) -> [(host: Int, from: Int64, to: Int64)] {
        guard var host = stay.host else { return [] }
        var places: [(host: Int, from: Int64, to: Int64)] = []
        var from = stay.begin
        for move in stay.moves {
            if move.end > from { places.append((host, from, move.end)) }
            (host, from) = (move.to, move.end)
        }
        let end = stay.end ?? max(end, stay.begin)
        if end > from { places.append((host, from, end)) }
        return places
    }
}
