// Best fit without looking at every host: hosts in ascending order of their free room, apart by their free vCPUs.
//
// In one order of all hosts, those that are full in one dimension stand among those that are not, and a search passes
// thousands of them. Hosts of nearly equal free vCPUs differ in memory alone: in their order those with enough memory
// stand behind those without. So there is one order for each of 64 levels of free vCPUs; a search takes the first fit of
// each level, and stops at the level in which every fit has more room than the best found.

struct HostsByRoom: Sendable {
    private var levels = [SortedHosts](repeating: SortedHosts(), count: Limits.roomLevels)
    /// Where each host stands; NaN: nowhere.
    private var keys: [Double] = []
    private var levelOfHost: [UInt8] = []

    /// Free vCPUs from one level to the next.
    private func levelWidth(largest: Resources) -> Int {
        max(1, (largest.milliCPUs + Limits.roomLevels - 1) / Limits.roomLevels)
    }

    private func levelIndex(for room: Resources, largest: Resources) -> Int {
        min(max(0, room.milliCPUs / levelWidth(largest: largest)), Limits.roomLevels - 1)
    }

    /// Puts a host in its place; nil takes it out.
    mutating func updateHost(at host: HostIndex, free: Resources?, largest: Resources) {
        while keys.count <= host {
            keys.append(.nan)
            levelOfHost.append(0)
        }
        let id = Int32(host)
        if !keys[host].isNaN {
            levels[Int(levelOfHost[host])].removeEntry(ofHost: id, key: keys[host])
        }
        keys[host] = .nan
        guard let free else { return }
        let level = levelIndex(for: free, largest: largest)
        keys[host] = free.combinedRoom(largest: largest)
        levelOfHost[host] = UInt8(level)
        levels[level].insertEntry(SortedHosts.Entry(key: keys[host], host: id, free: free))
    }

    /// The host with the least free room that holds `need` and that `admits`; the first in host order among equals.
    func firstHost(
        fitting need: Resources, largest: Resources, where admits: (HostIndex) -> Bool
    ) -> HostIndex? {
        var best: (key: Double, host: Int32)?
        let step = levelWidth(largest: largest)
        for level in levelIndex(for: need, largest: largest)..<levels.count {
            // What fits in this level has at least this room. Division and sum never fall where their parts grow.
            var least = need
            least.milliCPUs = max(need.milliCPUs, level * step)
            let key = least.combinedRoom(largest: largest)
            if let best, key > best.key { break }
            levels[level].visitEntries(fitting: need, keys: key..<Double.infinity) { entry in
                if let best, !entry.isOrderedBefore(key: best.key, host: best.host) { return false }
                guard admits(Int(entry.host)) else { return true }
                best = (entry.key, entry.host)
                return false
            }
        }
        return best.map { Int($0.host) }
    }
}
