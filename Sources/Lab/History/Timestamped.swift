// Things that hold from a time on until the next of them, ascending in time.

protocol Timestamped {
    /// Milliseconds since the history began.
    var t: Int64 { get }
}

extension HostChange: Timestamped {}
extension TimedReading: Timestamped {}

extension Array where Element: Timestamped {
    /// How many began at a moment or before.
    func elementCount(upTo t: Int64) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].t <= t { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The one in force at a moment.
    func latestElement(upTo t: Int64) -> Element? {
        let count = elementCount(upTo: t)
        return count == 0 ? nil : self[count - 1]
    }
}
