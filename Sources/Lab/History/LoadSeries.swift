// Readings of one VM or host between two moments as what they mean: each holds until the next.

import Model

/// What was read first holds from the beginning, for want of better.
struct LoadSeries {
    private let readings: ArraySlice<TimedReading>
    private let begin: Int64
    private let end: Int64

    /// - Parameter readings: ascending in time.
    init(_ readings: [TimedReading], from begin: Int64, to end: Int64) {
        let after = readings.elementCount(upTo: begin)
        let last = readings.elementCount(upTo: end - 1)
        self.readings = readings[max(0, after - 1)..<max(last, after)]
        self.begin = begin
        self.end = max(end, begin + 1)
    }

    /// Means over steps of time, as shares of what the VM asked for, within 0 and 1; nil: nothing was read.
    func utilisationSamples(every interval: Duration, of vm: RecordedVM) -> (
        cpu: [Float], memory: [Float]
    )? {
        guard !readings.isEmpty else { return nil }
        let step = interval.wholeNanoseconds / 1_000_000
        let count = Int((end - begin + step - 1) / step)
        var cpu: [Float] = []
        var memory: [Float] = []
        cpu.reserveCapacity(count)
        memory.reserveCapacity(count)
        let cores = Double(vm.vcpus)
        let bytes = Double(max(vm.memoryBytes, 1))
        forEachMean(step: step) { mean in
            cpu.append(Float(min(max(mean.cores / cores, 0), 1)))
            memory.append(Float(min(max(mean.memoryBytes / bytes, 0), 1)))
        }
        return (cpu, memory)
    }

    /// Bytes in a second over all the time in which it was measured; nil: it never was.
    var meanDirtyRate: Double? {
        var (sum, time) = (0.0, 0.0)
        forEachPiece { reading, from, to in
            guard !reading.dirtyBytesPerSecond.isNaN else { return }
            sum += Double(reading.dirtyBytesPerSecond) * Double(to - from)
            time += Double(to - from)
        }
        return time > 0 ? sum / time : nil
    }

    /// The mean over all the time; nil: nothing was read.
    var mean: (cores: Double, memoryBytes: Double)? {
        guard !readings.isEmpty else { return nil }
        var found = (cores: 0.0, memoryBytes: 0.0)
        forEachMean(step: end - begin) { found = $0 }
        return found
    }

    private func forEachMean(
        step: Int64, perform body: ((cores: Double, memoryBytes: Double)) -> Void
    ) {
        var (cores, bytes) = (0.0, 0.0)
        var stepBegin = begin
        forEachPiece { reading, from, to in
            var at = from
            while at < to {
                let until = min(to, stepBegin + step)
                cores += Double(reading.cores) * Double(until - at)
                bytes += Double(reading.memoryBytes) * Double(until - at)
                at = until
                guard at == min(stepBegin + step, end) else { continue }
                let length = Double(at - stepBegin)
                body((cores / length, bytes / length))
                (cores, bytes, stepBegin) = (0, 0, at)
            }
        }
    }

    /// Each reading with the time in which it holds, without gaps from the beginning to the end.
    private func forEachPiece(perform body: (TimedReading, Int64, Int64) -> Void) {
        var from = begin
        for index in readings.indices {
            let next = index + 1 < readings.endIndex ? readings[index + 1].t : end
            let to = min(max(next, begin), end)
            guard to > from else { continue }
            body(readings[index], from, to)
            from = to
        }
    }
}
