// What a VM asks for and a host gives: processors and memory, reserved and measured.

package import Model

/// Processors and memory, as asked for or given. Exact: sums of them never drift.
package struct Resources: Hashable, Sendable {
    /// Thousandths of a virtual CPU: traces ask for shares of one.
    package var milliCPUs: Int
    package var memoryBytes: Int

    package init(milliCPUs: Int, memoryBytes: Int) {
        self.milliCPUs = milliCPUs
        self.memoryBytes = memoryBytes
    }

    package init(vcpus: Int, memory: ByteCount) {
        self.init(milliCPUs: vcpus * 1000, memoryBytes: Int(clamping: memory.bytes))
    }

    package static let none = Resources(milliCPUs: 0, memoryBytes: 0)

    package static func + (left: Resources, right: Resources) -> Resources {
        Resources(
            milliCPUs: left.milliCPUs + right.milliCPUs,
            memoryBytes: left.memoryBytes + right.memoryBytes)
    }

    package static func - (left: Resources, right: Resources) -> Resources {
        Resources(
            milliCPUs: left.milliCPUs - right.milliCPUs,
            memoryBytes: left.memoryBytes - right.memoryBytes)
    }

    /// Whether both parts are at most those of `room`.
    package func isContained(in room: Resources) -> Bool {
        milliCPUs <= room.milliCPUs && memoryBytes <= room.memoryBytes
    }
}

/// Processors and memory in use, as measured: cores busy on average, bytes touched.
package struct MeasuredUse: Hashable, Sendable {
    package var cores: Double
    package var memoryBytes: Double

    package init(cores: Double, memoryBytes: Double) {
        self.cores = cores
        self.memoryBytes = memoryBytes
    }

    package static let none = MeasuredUse(cores: 0, memoryBytes: 0)
}

/// One number for processors and one for memory, in this order: the arithmetic of loads.
typealias LoadVector = SIMD2<Double>

extension MeasuredUse {
    var vector: LoadVector { LoadVector(cores, memoryBytes) }
}

extension Resources {
    var vector: LoadVector { LoadVector(Double(milliCPUs) / 1000, Double(memoryBytes)) }
}

/// "4", "0.5", "1.234": thousandths as people write them.
package func thousandthsText(for thousandths: Int) -> String {
    let (whole, rest) = thousandths.quotientAndRemainder(dividingBy: 1000)
    guard rest != 0 else { return "\(whole)" }
    var digits = "\(1000 + abs(rest))".dropFirst()
    while digits.last == "0" { digits.removeLast() }
    return "\(whole == 0 && rest < 0 ? "-" : "")\(whole).\(digits)"
}

/// Bytes for people: at most two decimals in the largest unit that is not below one.
package func bytesText(for bytes: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    var value = Double(abs(bytes))
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    let hundredths = Int((value * 100).rounded())
    let digits = thousandthsText(for: hundredths * 10)
    return "\(bytes < 0 ? "-" : "")\(digits)\(units[unit])"
}
