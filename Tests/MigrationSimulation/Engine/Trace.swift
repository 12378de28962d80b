// What happened in a run, in order: always as a hash that tells two runs apart, on request as text.

/// The hash covers every step, so that equal hashes mean the same run.
package struct Trace: Sendable {
    package private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    package private(set) var steps = 0
    package private(set) var lines: [String] = []
    let isReadable: Bool

    init(isReadable: Bool) { self.isReadable = isReadable }

    /// One step of a thread.
    mutating func note(_ time: UInt64, _ thread: SimThread?, _ label: StaticString, _ value: Int) {
        steps += 1
        mix(time)
        mix(UInt64(bitPattern: Int64(thread?.id ?? -1)))
        mix(UInt64(bitPattern: Int64(value)))
        mix(unsafe UInt64(label.utf8CodeUnitCount) << 8 | UInt64(label.utf8Start.pointee))
        if isReadable { add(time, thread, value == 0 ? "\(label)" : "\(label) \(value)") }
    }

    /// Something worth a sentence.
    mutating func say(_ time: UInt64, _ thread: SimThread?, _ text: String) {
        mix(time)
        for byte in text.utf8 { mix(UInt64(byte)) }
        if isReadable { add(time, thread, text) }
    }

    private mutating func mix(_ word: UInt64) {
        hash = (hash ^ word) &* 0x0000_0100_0000_01B3
        hash ^= hash >> 29
    }

    private mutating func add(_ time: UInt64, _ thread: SimThread?, _ text: String) {
        let micros = (time - Scheduler.start) / 1000
        let fraction = String(micros % 1_000_000)
        let pad = String(repeating: "0", count: 6 - fraction.count)
        let name = thread.map { "\($0.process.name)/\($0.name)" } ?? "-"
        lines.append("\(micros / 1_000_000).\(pad)\(fraction) \(name): \(text)")
    }
}
