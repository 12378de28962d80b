// Things that hold from a time on until the next of them, ascending in time.

protocol Timed {
    /// Milliseconds since the history began.
    var t: Int64 { get }
}

extension HostChange: Timed {}
extension TimedReading: Timed {}

extension Array where Element: Timed {
    /// How many began at a moment or before.
    func count(upTo t: Int64) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].t <= t { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The one in force at a moment.
    func last(upTo t: Int64) -> Element? {
        let count = count(upTo: t)
        return count == 0 ? nil : self[count - 1]
    }
}
