// Which hosts' names cover which VMs' needs, answered in one look-up.
//
// CPU features and labels are sets of names. Few different sets exist in a cluster: each is kept once and has a
// number, and the table holds for every needed set and every offered set whether the second covers the first.

struct TraitTable: Sendable {
    private var neededIDs: [Set<String>: Int32] = [:]
    private var offeredIDs: [Set<String>: Int32] = [:]
    private var needed: [Set<String>] = []
    private var offered: [Set<String>] = []
    /// covered[needed][offered]
    private var covered: [[Bool]] = []

    init() { _ = neededSetID(for: []) }

    /// The number of a set that a VM needs; 0 is the empty set.
    mutating func neededSetID(for names: Set<String>) -> Int32 {
        if let id = neededIDs[names] { return id }
        let id = Int32(needed.count)
        neededIDs[names] = id
        needed.append(names)
        covered.append(offered.map { names.isSubset(of: $0) })
        return id
    }

    /// The number of a set that a host offers.
    mutating func offeredSetID(for names: Set<String>) -> Int32 {
        if let id = offeredIDs[names] { return id }
        let id = Int32(offered.count)
        offeredIDs[names] = id
        offered.append(names)
        for row in covered.indices { covered[row].append(needed[row].isSubset(of: names)) }
        return id
    }

    func coversNeeds(offeredID: Int32, neededID: Int32) -> Bool {
        neededID == 0 || covered[Int(neededID)][Int(offeredID)]
    }

    /// The needed names that are not offered, sorted.
    func missingNames(offeredID: Int32, neededID: Int32) -> [String] {
        needed[Int(neededID)].subtracting(offered[Int(offeredID)]).sorted()
    }
}
