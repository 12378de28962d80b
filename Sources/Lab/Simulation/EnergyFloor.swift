// The least power with which the hosts could serve an amount of work, however VMs were placed and moved.
//
// A host serves c cores and draws P(c) awake, a asleep. The convex envelope of {(0, a)} and P over 0...C is at most
// what it draws in either state, and is made of straight segments of rising W/core. The least sum over hosts for a
// work w, allowing any split into fractions, takes the segments of all hosts in the order of their W/core until w is
// served (a linear program whose greedy solution is exact).
//
// That program may serve everything on few hosts, though the VMs need more for their memory. So a second bound: a line
// A + B·c with A, B >= 0 that is nowhere above P(c) - a of any host. Hosts with VMs draw at least that each, and there are
// at least as many as the bound on hosts says: A · hosts + B · w. Any such line will do; the best of several is taken, and
// the larger of both bounds.

struct EnergyFloor {
    private struct Segment {
        var wattsPerCore: Double
        /// Up to and with this one.
        var cores: Double
        /// At its end.
        var watts: Double
    }

    /// What each host in use draws at least: so much, and so much more for each core that it serves.
    private struct Line {
        var watts: Double
        var wattsPerCore: Double
    }

    private var segments: [Segment] = []
    private var lines: [Line] = []

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
        lines = Self.lowerLines(below: kinds, steepest: segments.first?.wattsPerCore ?? 0)
    }

    /// Lines with the slopes that the curves themselves have, and a level one.
    private static func lowerLines(below kinds: [Kind], steepest: Double) -> [Line] {
        let slopes = kinds.flatMap(\.slopes).filter { $0 > 0 && $0 < steepest }.sorted()
        var chosen = [0.0]
        for step in 0..<min(Limits.linesMax, slopes.count) {
            let slope = slopes[step * slopes.count / min(Limits.linesMax, slopes.count)]
            if slope != chosen.last { chosen.append(slope) }
        }
        return chosen.map { slope in
            let watts = kinds.reduce(Double.infinity) { min($0, $1.leastWatts(above: slope)) }
            return Line(watts: max(0, watts), wattsPerCore: slope)
        }
    }

    /// Watts beside what all hosts draw asleep, with at least so many hosts in use.
    func leastWatts(servingCores cores: Double, onAtLeast hosts: Int) -> Double {
        var most = leastWatts(servingCores: cores)
        for line in lines {
            most = max(most, line.watts * Double(hosts) + line.wattsPerCore * cores)
        }
        return most
    }

    private func leastWatts(servingCores cores: Double) -> Double {
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

        /// W/core of each tenth.
        var slopes: [Double] {
            (0..<10).map { (curve.watts[$0 + 1] - curve.watts[$0]) / (cores / 10) }
        }

        /// The least that is drawn beside sleep and `slope` for each core: at an end of a tenth.
        func leastWatts(above slope: Double) -> Double {
            (0...10).reduce(Double.infinity) { least, place in
                let line = slope * cores * Double(place) / 10
                return min(least, curve.watts[place] - curve.asleep - line)
            }
        }

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
