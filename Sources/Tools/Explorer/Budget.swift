// How often each fault may happen: what makes the state space finite.

/// What may happen to hosts and connections, and what people may do.
package enum Fault: Int, Hashable, Sendable, CaseIterable {
    /// An agent's process ends at once; the ferry-vmm lives on.
    case agentCrash
    /// Power fails: agent, ferry-vmm and memory are gone. Disks stay.
    case hostOff
    /// A host that was off comes back.
    case hostReturn
    case processKill
    /// The control connection breaks; what is on its way may still arrive, or not.
    case cut
    /// A side times out, though nothing is broken.
    case impatience
    /// A question, a notice or its answer is lost or comes too late.
    case loss
    /// A ledger's write fails; the record may be found after a crash all the same.
    case disk
    case cancel
    /// An operator's decision about a VM.
    case forcedTakeover
    /// The hosts cannot reach each other until it heals.
    case partition
    case controllerCrash
    /// The destination finds no room.
    case refusal
    /// A data stream breaks while its control connection holds.
    case stream
    /// A page arrives changed.
    case corruption
    /// A host that has no part in the VM asks about it.
    case stranger
    /// A message of a connection that is gone arrives on a later one.
    case mixUp
    /// Another migration after the first: not a fault, but where it is bounded like one, it counts as one.
    case again
}

/// How many of each, and of all together but `hostReturn`.
package struct Faults: Hashable, Sendable {
    package var together: UInt8
    package var each: [Fault: UInt8]

    package init(together: UInt8, each: [Fault: UInt8]) {
        self.together = together
        self.each = each
    }

    /// Every one of these as often as all together allow.
    package init(together: UInt8, ofEach faults: [Fault]) {
        self.init(
            together: together,
            each: Dictionary(uniqueKeysWithValues: faults.map { ($0, together) }))
    }
}

/// How many faults may still happen. Three bits a kind.
struct Budget: Hashable, Sendable {
    private var left: UInt64 = 0
    private var together: UInt8

    init(_ faults: Faults) {
        together = faults.together
        for (fault, count) in faults.each {
            precondition(count < 8)
            left |= UInt64(count) << Self.bitPosition(of: fault)
        }
    }

    private static func bitPosition(of fault: Fault) -> UInt64 { UInt64(fault.rawValue * 3) }

    func allowsFault(_ fault: Fault) -> Bool {
        (fault == .hostReturn || together > 0) && remainingCount(of: fault) > 0
    }

    func remainingCount(of fault: Fault) -> UInt64 { (left >> Self.bitPosition(of: fault)) & 7 }

    mutating func consumeFault(_ fault: Fault) {
        left -= 1 << Self.bitPosition(of: fault)
        if fault == .hostReturn { return }
        together -= 1
        // What can never be spent must not make states differ.
        if together == 0 { left &= 7 << Self.bitPosition(of: .hostReturn) }
    }
}
