// Hosts by when they are expected to be empty: the order of lifetime-aware placement, without a look at every host.
//
// Hosts stand in cells by their exit, and in a cell by their free room. Cells are as wide as the time until they begin,
// more or less: exit and now are counted in granules of some minutes, and a cell is the place of the highest binary
// digit in which the two differ, with the four digits of the exit that follow it. As in a radix heap (Ahuja and others
// 1990), most cells stay right when the clock goes on: only those below the highest digit of `now` that changed are
// looked at again, so that a host changes its cell a few times before it is empty, not at every tick.
//
//   cell 0      exit in this granule, in the past, or no VMs
//   cell 16s+k  the highest digit that differs is digit s - 1, the four digits that follow are k
//
// All cells are one sorted list: key = 4 · cell + free room, which is at most 2.

struct HostsByExit: Sendable {
    private static let granuleBits = 9
    /// Digits of the exit that tell cells of one width apart.
    private static let followingBits = 4
    private static let cells = (Int.bitWidth - granuleBits + 1) << followingBits

    private var hosts = SortedHosts()
    private var hostsInCell = [Int32](repeating: 0, count: cells)
    private var cellOfHost: [Int32] = []
    private var now = 0

    private static func cellIndex(ofExit exit: Int, now: Int) -> Int {
        let (exit, now) = (exit >> granuleBits, now >> granuleBits)
        guard exit > now else { return 0 }
        let digits = Int.bitWidth - (exit ^ now).leadingZeroBitCount
        let rest = digits - 1 - followingBits
        let following = rest >= 0 ? exit >> rest : exit << -rest
        return digits << followingBits | following & (1 << followingBits - 1)
    }

    /// The latest exit of a cell.
    private static func latestExit(ofCell cell: Int, now: Int) -> Int {
        let now = now >> granuleBits
        guard cell > 0 else { return now << granuleBits | (1 << granuleBits - 1) }
        let digits = cell >> followingBits
        let following = cell & (1 << followingBits - 1)
        let rest = digits - 1 - followingBits
        let start = (now >> digits) << digits | (1 << (digits - 1))
        let last =
            rest >= 0
            ? start | following << rest | (1 << rest - 1)
            : start | following >> -rest
        return last << granuleBits | (1 << granuleBits - 1)
    }

    private static func sortingKey(cell: Int, room: Double) -> Double { Double(4 * cell) + room }

    /// - Parameter free: nil: the host takes no VMs.
    mutating func updateHost(at host: HostIndex, free: Resources?, exit: Int, largest: Resources) {
        guard let free else { return repositionHost(host, cell: -1, place: nil) }
        let cell = Self.cellIndex(ofExit: exit, now: now)
        // Below zero where a host has promised more than it has; nothing fits there, wherever it stands.
        let room = max(0, free.roundedRoom(largest: largest))
        repositionHost(host, cell: cell, place: (Self.sortingKey(cell: cell, room: room), free))
    }

    private mutating func repositionHost(
        _ host: HostIndex, cell: Int, place: (key: Double, free: Resources)?
    ) {
        while cellOfHost.count <= host { cellOfHost.append(-1) }
        if cellOfHost[host] >= 0 { hostsInCell[Int(cellOfHost[host])] -= 1 }
        if cell >= 0 { hostsInCell[cell] += 1 }
        cellOfHost[host] = Int32(cell)
        hosts.updateHost(at: host, place: place)
    }

    /// The clock goes on: hosts whose exit has come near go to their new cells.
    mutating func advanceClock(to time: Int, rows: [HostRow]) {
        let changed = (now >> Self.granuleBits) ^ (time >> Self.granuleBits)
        now = time
        guard changed != 0, !hosts.blocks.isEmpty else { return }
        let digits = Int.bitWidth - changed.leadingZeroBitCount
        let end = (digits + 1) << Self.followingBits
        guard hostsInCell[1..<end].contains(where: { $0 > 0 }) else { return }
        var stale: [SortedHosts.Entry] = []
        hosts.visitEntries(
            keys: Self.sortingKey(cell: 1, room: 0)..<Self.sortingKey(cell: end, room: 0)
        ) { entry in
            stale.append(entry)
            return true
        }
        for entry in stale {
            let host = Int(entry.host)
            let cell = Self.cellIndex(ofExit: rows[host].exit, now: time)
            let room = entry.key - Self.sortingKey(cell: Int(cellOfHost[host]), room: 0)
            repositionHost(
                host, cell: cell, place: (Self.sortingKey(cell: cell, room: room), entry.free))
        }
    }

    private struct Best {
        var cost: Int
        var room: Double
        var host: Int32

        func isPreferred(to other: Best?) -> Bool {
            guard let other else { return true }
            return (cost, room, host) < (other.cost, other.room, other.host)
        }
    }

    /// The host that the VM outlives least and that `admits`; of equals the fullest, then the first.
    func firstHost(
        for vm: VMRow, rows: [HostRow], largest: Resources, where admits: (HostIndex) -> Bool
    ) -> HostIndex? {
        let needed = vm.request.roundedRoom(largest: largest)
        var best: Best?
        for cell in stride(from: Self.cells - 1, through: 0, by: -1) where hostsInCell[cell] > 0 {
            // All hosts of the cell, and of those below it, cost at least this.
            let least = OutlivingCost.stepsOutlived(
                departure: vm.departure, exit: Self.latestExit(ofCell: cell, now: now))
            if let best, best.cost < least { break }
            let base = Self.sortingKey(cell: cell, room: 0)
            hosts.visitEntries(
                fitting: vm.request, keys: base + needed..<Self.sortingKey(cell: cell + 1, room: 0)
            ) { entry in
                let room = entry.key - base
                if let best, best.cost == least, room > best.room { return false }
                let host = Int(entry.host)
                let exit = max(rows[host].exit, now)
                let found = Best(
                    cost: OutlivingCost.stepsOutlived(departure: vm.departure, exit: exit),
                    room: room, host: entry.host)
                guard found.isPreferred(to: best), admits(host) else { return true }
                best = found
                return found.cost > least
            }
        }
        return best.map { Int($0.host) }
    }
}
