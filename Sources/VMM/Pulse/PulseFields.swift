/// The `key=value` words of a line, read one after the other in the order in which the guest writes
/// them.
struct PulseFields {
    private var rest: Substring

    init(_ text: Substring) {
        rest = text
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// The value of the next word, if that word has this key.
    mutating func readText(forKey key: String) -> Substring? {
        let word = rest.prefix { $0 != " " }
        guard word.hasPrefix(key + "=") else { return nil }
        rest = rest.dropFirst(word.count + 1)
        return word.dropFirst(key.count + 1)
    }

    /// Digits only, as the guest writes them.
    mutating func readNumber(forKey key: String) -> Int? {
        guard let digits = readText(forKey: key), !digits.isEmpty,
            digits.utf8.allSatisfy({ 48...57 ~= $0 })
        else { return nil }
        return Int(digits)
    }

    mutating func readDuration(forKey key: String) -> Duration? {
        readNumber(forKey: key).map { .microseconds($0) }
    }

    mutating func readRate(forKey key: String) -> PulseOptions.Rate? {
        if rest.hasPrefix("\(key)=max ") {
            _ = readText(forKey: key)
            return .flatOut
        }
        return readNumber(forKey: key).map { .pagesPerSecond($0) }
    }
}
