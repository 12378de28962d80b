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
            switch applyOption(key: key, value: value) {
            case .taken: continue
            case .unknown: Message("pulse unknown option \(word)").sendToConsole()
            case .wrong:
                Message("pulse bad option \(word)").sendToConsole()
                return nil
            }
        }
    }

    private enum Outcome {
        case taken, unknown, wrong
    }

    private mutating func applyOption(key: Text, value: Text) -> Outcome {
        if key == "fill" {
            return applyValue(value.size, within: 4096...(1 << 40)) { $0.fillBytes = $1 }
        }
        if key == "ws" {
            return applyValue(value.size, within: 0...(1 << 40)) { $0.workingSetBytes = $1 }
        }
        if key == "rate" {
            return applyValue(Options.parseRate(from: value), within: 0...(.max)) { $0.rate = $1 }
        }
        if key == "period" {
            return applyValue(value.microseconds, within: 1000...60_000_000) {
                $0.periodMicroseconds = $1
            }
        }
        if key == "seed" { return applyValue(value.number, within: 0...(.max)) { $0.seed = $1 } }
        if key == "check" {
            return applyValue(value.number, within: 0...rateMax) { $0.checksPerSecond = $1 }
        }
        if key == "content" { return applyContent(named: value) }
        if key == "idle" { return applyIdleMode(named: value) }
        if key == "console" { return .taken }
        return .unknown
    }

    private mutating func applyValue(
        _ value: UInt64?, within range: ClosedRange<UInt64>, set: (inout Options, UInt64) -> Void
    ) -> Outcome {
        guard let value, range.contains(value) else { return .wrong }
        set(&self, value)
        return .taken
    }

    private mutating func applyContent(named value: Text) -> Outcome {
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

    private mutating func applyIdleMode(named value: Text) -> Outcome {
        spins = value == "spin"
        return spins || value == "halt" ? .taken : .wrong
    }

    /// `max`, or pages a second.
    static func parseRate(from text: Text) -> UInt64? {
        if text == "max" { return flatOut }
        guard let number = text.number, number <= rateMax else { return nil }
        return number
    }
}

/// Above this a pace could not be told from flat out.
private let rateMax: UInt64 = 10_000_000
