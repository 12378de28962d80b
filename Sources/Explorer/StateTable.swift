// Every state that was seen, by a fingerprint of 128 bits.
//
// Two states with one fingerprint would be taken for one: among ten million states the chance is below 10^-24.

/// 128 bits of a state, by two differently keyed hashes.
struct Fingerprint: Hashable, Sendable {
    let low: UInt64
    let high: UInt64

    init(_ world: World) {
        var first = Hasher()
        first.combine(0 as UInt8)
        world.hash(into: &first)
        var second = Hasher()
        second.combine(1 as UInt8)
        world.hash(into: &second)
        // Zero marks a free slot.
        low = UInt64(bitPattern: Int64(first.finalize())) | 1
        high = UInt64(bitPattern: Int64(second.finalize()))
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
    func number(of fingerprint: Fingerprint) -> UInt32? {
        let slot = slots[index(of: fingerprint)]
        return slot.low == 0 ? nil : slot.number
    }

    /// The state's number; a new state gets the next.
    func insert(_ fingerprint: Fingerprint) -> (number: UInt32, isNew: Bool) {
        let index = index(of: fingerprint)
        if slots[index].low != 0 { return (slots[index].number, false) }
        let number = UInt32(count)
        slots[index] = Slot(low: fingerprint.low, high: fingerprint.high, number: number)
        count += 1
        if count * 2 > slots.count { grow() }
        return (number, true)
    }

    private func index(of fingerprint: Fingerprint) -> Int {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: fingerprint.low >> 1) & mask
        while slots[index].low != 0,
            slots[index].low != fingerprint.low || slots[index].high != fingerprint.high
        {
            index = (index + 1) & mask
        }
        return index
    }

    private func grow() {
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
