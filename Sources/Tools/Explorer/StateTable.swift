// Every state that was seen, by a fingerprint of 128 bits.
//
// Two states with one fingerprint would be taken for one. The likely cause is one part, of which there are far
// fewer than states: among a million hosts the probability is below 10^-7.

/// 128 bits of a state: two mixtures of the 64-bit hashes of its parts.
struct Fingerprint: Hashable, Sendable {
    let low: UInt64
    let high: UInt64

    /// From here on the world may be read by any thread.
    init(_ world: inout World) {
        let (s, d) = world.hosts.computeHashes()
        var hasher = Hasher()
        world.hashRemainder(into: &hasher)
        let rest = UInt64(bitPattern: Int64(hasher.finalize()))
        // Zero marks a free slot.
        low = Self.combinedHash(first: s, second: d, third: rest, key: 0x9e37_79b9_7f4a_7c15) | 1
        high = Self.combinedHash(first: rest, second: s, third: d, key: 0xc2b2_ae3d_27d4_eb4f)
    }

    private static func combinedHash(
        first: UInt64, second: UInt64, third: UInt64, key: UInt64
    ) -> UInt64 {
        var sum = key
        sum = finalizedHash(word: sum ^ first)
        sum = finalizedHash(word: sum ^ second)
        return finalizedHash(word: sum ^ third)
    }

    /// The finaliser of SplitMix64.
    private static func finalizedHash(word: UInt64) -> UInt64 {
        var word = word &+ 0x9e37_79b9_7f4a_7c15
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

extension World {
    fileprivate func hashRemainder(into hasher: inout Hasher) {
        hasher.combine(connections)
        hasher.combine(queries)
        hasher.combine(unreadMessages)
        hasher.combine(controllers)
        hasher.combine(budget)
        hasher.combine(migrations)
        hasher.combine(isPartitioned)
        hasher.combine(violation)
    }
}

/// Fingerprint to number, open addressing.
///
/// Any number of threads may look up while none inserts: the search alternates between the two.
final class StateTable: @unchecked Sendable {
    private struct Slot {
        var low: UInt64 = 0
        var high: UInt64 = 0
        var number: UInt32 = 0
    }

    private var slots = [Slot](repeating: Slot(), count: 1 << 16)
    private(set) var count = 0

    /// The state's number, nil when it is new.
    func stateNumber(of fingerprint: Fingerprint) -> UInt32? {
        let slot = slots[slotIndex(of: fingerprint)]
        return slot.low == 0 ? nil : slot.number
    }

    /// The state's number; a new state gets the next.
    func insertFingerprint(_ fingerprint: Fingerprint) -> (number: UInt32, isNew: Bool) {
        let index = slotIndex(of: fingerprint)
        if slots[index].low != 0 { return (slots[index].number, false) }
        let number = UInt32(count)
        slots[index] = Slot(low: fingerprint.low, high: fingerprint.high, number: number)
        count += 1
        if count * 2 > slots.count { doubleCapacity() }
        return (number, true)
    }

    private func slotIndex(of fingerprint: Fingerprint) -> Int {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: fingerprint.low >> 1) & mask
        while slots[index].low != 0,
            slots[index].low != fingerprint.low || slots[index].high != fingerprint.high
        {
            index = (index + 1) & mask
        }
        return index
    }

    private func doubleCapacity() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        let mask = slots.count - 1
        for slot in old where slot.low != 0 {
            var index = Int(truncatingIfNeeded: slot.low >> 1) & mask
            while slots[index].low != 0 { index = (index + 1) & mask }
            slots[index] = slot
        }
    }
}
