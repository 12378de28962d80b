/// The command line: `key=value` words, separated by spaces. What each key means is told in
/// `PulseOptions`, on the host's side.
struct Options {
    /// Pages a second; `Options.flatOut` for as many as the CPUs can write.
    static let flatOut = UInt64.max
    static let defaultWorkingSetBytes: UInt64 = 64 << 20

    private(set) var fillBytes: UInt64?
    private(set) var workingSetBytes: UInt64?
    private(set) var rate: UInt64 = 2000
    private(set) var content = Content.Kind.text
    private(set) var contentName: StaticString = "text"
    private(set) var periodMicroseconds: UInt64 = 100_000
    private(set) var seed: UInt64 = 1
    private(set) var checksPerSecond: UInt64 = 2000
    private(set) var spins = false

    /// Reads the command line. Tells the console about keys it does not know; returns nil after
    /// telling it about a value that is wrong.
    init?(_ commandLine: Text) {
        var rest = commandLine
        while !rest.isEmpty {
            let word = rest.removePrefix(before: " ")
            if word.isEmpty { continue }
            var value = word
            let key = value.removePrefix(before: "=")
            switch read(key, value) {
            case .taken: continue
            case .unknown: Message("pulse unknown option \(word)").send()
            case .wrong:
                Message("pulse bad option \(word)").send()
                return nil
            }
        }
    }

    private enum Outcome {
        case taken, unknown, wrong
    }

    private mutating func read(_ key: Text, _ value: Text) -> Outcome {
        if key == "fill" { return take(value.size, 4096...(1 << 40)) { $0.fillBytes = $1 } }
        if key == "ws" { return take(value.size, 0...(1 << 40)) { $0.workingSetBytes = $1 } }
        if key == "rate" { return take(Options.rate(value), 0...(.max)) { $0.rate = $1 } }
        if key == "period" {
            return take(value.microseconds, 1000...60_000_000) { $0.periodMicroseconds = $1 }
        }
        if key == "seed" { return take(value.number, 0...(.max)) { $0.seed = $1 } }
        if key == "check" { return take(value.number, 0...rateMax) { $0.checksPerSecond = $1 } }
        if key == "content" { return takeContent(value) }
        if key == "idle" { return takeIdle(value) }
        if key == "console" { return .taken }
        return .unknown
    }

    private mutating func take(
        _ value: UInt64?, _ range: ClosedRange<UInt64>, _ set: (inout Options, UInt64) -> Void
    ) -> Outcome {
        guard let value, range.contains(value) else { return .wrong }
        set(&self, value)
        return .taken
    }

    private mutating func takeContent(_ value: Text) -> Outcome {
        if value == "zero" {
            (content, contentName) = (.zero, "zero")
        } else if value == "text" {
            (content, contentName) = (.text, "text")
        } else if value == "random" {
            (content, contentName) = (.random, "random")
        } else if value == "mixed" {
            (content, contentName) = (.mixed, "mixed")
        } else {
            return .wrong
        }
        return .taken
    }

    private mutating func takeIdle(_ value: Text) -> Outcome {
        spins = value == "spin"
        return spins || value == "halt" ? .taken : .wrong
    }

    /// `max`, or pages a second.
    static func rate(_ text: Text) -> UInt64? {
        if text == "max" { return flatOut }
        guard let number = text.number, number <= rateMax else { return nil }
        return number
    }
}

/// Above this a pace could not be told from flat out.
private let rateMax: UInt64 = 10_000_000
