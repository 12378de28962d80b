// Hosts in ascending order of a key, in blocks that know the most free room of their members.
//
// A search walks the order from its low end and passes over whole blocks without room, so it looks at a few hundred
// numbers in a row of memory where a scan would look at a hundred thousand hosts. An update touches one block or two.

struct SortedHosts: Sendable {
    struct Entry: Sendable {
        var key: Double
        var host: Int32
        var free: Resources

        func isOrderedBefore(key: Double, host: Int32) -> Bool {
            self.key < key || (self.key == key && self.host < host)
        }
    }

    struct Block: Sendable {
        var entries: [Entry]
        /// At least each entry's free room, part by part.
        var most = Resources(milliCPUs: .min, memoryBytes: .min)
        var firstHost = Int32.max

        init(_ entries: [Entry]) {
            self.entries = entries
            summarise()
        }

        private mutating func summarise() {
            most = Resources(milliCPUs: .min, memoryBytes: .min)
            firstHost = .max
            for entry in entries { extendBounds(with: entry) }
        }

        private mutating func extendBounds(with entry: Entry) {
            most.growToCover(entry.free)
            firstHost = min(firstHost, entry.host)
        }

        mutating func insertEntry(_ entry: Entry) {
            entries.insert(entry, at: entryPosition(key: entry.key, host: entry.host))
            extendBounds(with: entry)
        }

        mutating func removeEntry(key: Double, host: Int32) {
            let entry = entries.remove(at: entryPosition(key: key, host: host))
            if entry.free.milliCPUs == most.milliCPUs || entry.free.memoryBytes == most.memoryBytes
                || host == firstHost
            {
                summarise()
            }
        }

        /// Where an entry with this key and host is, or would be.
        func entryPosition(key: Double, host: Int32) -> Int {
            var (low, high) = (0, entries.count)
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].isOrderedBefore(key: key, host: host) {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            return low
        }
    }

    private(set) var blocks: [Block] = []
    /// Each host's key; NaN: it is not here.
    private var keys: [Double] = []

    /// Puts a host in its place; nil takes it out.
    mutating func updateHost(at host: HostIndex, place: (key: Double, free: Resources)?) {
        while keys.count <= host { keys.append(.nan) }
        let id = Int32(host)
        if !keys[host].isNaN { removeEntry(ofHost: id, key: keys[host]) }
        keys[host] = place?.key ?? .nan
        guard let place else { return }
        insertEntry(Entry(key: place.key, host: id, free: place.free))
    }

    /// Takes out a host that stands here with this key.
    mutating func removeEntry(ofHost host: Int32, key: Double) {
        let block = blockIndex(key: key, host: host)
        blocks[block].removeEntry(key: key, host: host)
        if blocks[block].entries.isEmpty { blocks.remove(at: block) }
    }

    mutating func insertEntry(_ entry: Entry) {
        guard !blocks.isEmpty else {
            blocks = [Block([entry])]
            return
        }
        let block = blockIndex(key: entry.key, host: entry.host)
        blocks[block].insertEntry(entry)
        let entries = blocks[block].entries
        guard entries.count > Limits.blockEntriesMax else { return }
        let half = entries.count / 2
        blocks[block] = Block(Array(entries[..<half]))
        blocks.insert(Block(Array(entries[half...])), at: block + 1)
    }

    /// The last block whose first entry is not after the place; the first block when all are.
    private func blockIndex(key: Double, host: Int32) -> Int {
        var (low, high) = (0, blocks.count)
        while low < high {
            let middle = (low + high) / 2
            let first = blocks[middle].entries[0]
            if first.isOrderedBefore(key: key, host: host)
                || (first.key == key && first.host == host)
            {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return max(0, low - 1)
    }

    /// Shows the hosts whose keys are in a range, in the order, until `goOn` says no; those without room for `need` are
    /// passed over.
    @inline(__always)
    func visitEntries(
        fitting need: Resources = Resources(milliCPUs: .min, memoryBytes: .min),
        keys: Range<Double>,
        shouldContinue goOn: (Entry) -> Bool
    ) {
        guard !blocks.isEmpty else { return }
        let first = blockIndex(key: keys.lowerBound, host: -1)
        for block in first..<blocks.count {
            if blocks[block].entries[0].key >= keys.upperBound { return }
            guard need.isContained(in: blocks[block].most) else { continue }
            let start =
                block == first ? blocks[block].entryPosition(key: keys.lowerBound, host: -1) : 0
            for place in start..<blocks[block].entries.count {
                let entry = blocks[block].entries[place]
                if entry.key >= keys.upperBound { return }
                if need.isContained(in: entry.free), !goOn(entry) { return }
            }
        }
    }

    /// The first host in the order with room for `need` that `admits`, of those whose key is not below `key`.
    @inline(__always)
    func firstHost(
        fitting need: Resources, from key: Double = -.infinity, where admits: (HostIndex) -> Bool
    ) -> HostIndex? {
        var found: HostIndex?
        visitEntries(fitting: need, keys: key..<Double.infinity) { entry in
            if admits(Int(entry.host)) { found = Int(entry.host) }
            return found == nil
        }
        return found
    }

    /// The host with room for `need` that `admits` and has the largest `value` of its free room, the first in host
    /// order among equals. `value` must not fall where room grows: a block is judged by the most room in it.
    func mostValuableHost(
        fitting need: Resources, value: (Resources) -> Double, where admits: (HostIndex) -> Bool
    ) -> HostIndex? {
        var best: (value: Double, host: Int32)?
        for block in blocks where need.isContained(in: block.most) {
            if let best {
                let bound = value(block.most)
                if bound < best.value || (bound == best.value && block.firstHost > best.host) {
                    continue
                }
            }
            for entry in block.entries where need.isContained(in: entry.free) {
                let value = value(entry.free)
                if let best, value < best.value || (value == best.value && entry.host > best.host) {
                    continue
                }
                if admits(Int(entry.host)) { best = (value, entry.host) }
            }
        }
        return best.map { Int($0.host) }
    }
}

extension Resources {
    /// Grows each part to at least that of `other`.
    fileprivate mutating func growToCover(_ other: Resources) {
        milliCPUs = max(milliCPUs, other.milliCPUs)
        memoryBytes = max(memoryBytes, other.memoryBytes)
    }
}
