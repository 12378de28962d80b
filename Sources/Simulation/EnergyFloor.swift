// The least power with which the hosts could serve an amount of work, however VMs were placed and moved.
//
// A host serves c cores and draws P(c) awake, a asleep. The convex envelope of {(0, a)} and P over 0...C is at most
// what it draws in either state, and is made of straight segments of rising W/core. The least sum over hosts for a
// work w, allowing any split into fractions, takes the segments of all hosts in the order of their W/core until w is
// served (a linear program whose greedy solution is exact). VMs are not fractions, work has to be where its VM's memory
// is, and sleeping hosts do not wake for nothing: all of that is left out and could only cost more.

struct EnergyFloor {
    private struct Segment {
        var wattsPerCore: Double
        /// Up to and with this one.
        var cores: Double
        /// At its end.
        var watts: Double
    }

    private var segments: [Segment] = []

    /// - Parameter hosts: cores and curve of each.
    init(_ hosts: some Sequence<(cores: Double, curve: PowerCurve)>) {
        var count: [Kind: Int] = [:]
        var kinds: [Kind] = []
        for host in hosts {
            let kind = Kind(cores: host.cores, curve: host.curve)
            if count[kind] == nil { kinds.append(kind) }
            count[kind, default: 0] += 1
        }
        var parts: [(slope: Double, cores: Double)] = []
        for kind in kinds {
            let number = Double(count[kind] ?? 0)
            parts += kind.envelope.map { ($0.slope, $0.cores * number) }
        }
        var last = Segment(wattsPerCore: 0, cores: 0, watts: 0)
        for part in parts.sorted(by: { $0.slope < $1.slope }) {
            last = Segment(
                wattsPerCore: part.slope, cores: last.cores + part.cores,
                watts: last.watts + part.slope * part.cores)
            segments.append(last)
        }
    }

    /// Watts beside what all hosts draw asleep.
    func watts(serving cores: Double) -> Double {
        var (low, high) = (0, segments.count)
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].cores < cores { low = middle + 1 } else { high = middle }
        }
        guard low < segments.count else { return segments.last?.watts ?? 0 }
        let segment = segments[low]
        return max(0, segment.watts - (segment.cores - cores) * segment.wattsPerCore)
    }

    private struct Kind: Hashable {
        var cores: Double
        var curve: PowerCurve

        /// Segments from (0, asleep) on, of rising slope: always the flattest way to a later point of the curve.
        var envelope: [(slope: Double, cores: Double)] {
            var segments: [(slope: Double, cores: Double)] = []
            var (place, watts) = (0, curve.asleep)
            while place < 10 {
                var best = (next: place + 1, slope: Double.infinity)
                for next in (place + 1)...10 {
                    let slope = (curve.watts[next] - watts) / (Double(next - place) / 10 * cores)
                    if slope <= best.slope { best = (next, slope) }
                }
                segments.append((best.slope, Double(best.next - place) / 10 * cores))
                (place, watts) = (best.next, curve.watts[best.next])
            }
            return segments
        }
    }
}
