// Feeds what is heard of one VM to the machine that decides forced takeovers, the one that the explorer explores.
//
//   reports, fencings, returns ──▶ ForcedTakeoverMachine ──▶ entries for the VM's record, an order to the source
//
// The machine's store is the VM's record. A change of the record counts as stored at once: commands are sent only after
// the store has confirmed every record of the same call, and when it does not, all that is in memory is made again from
// the store. So `stored` follows each entry here, and the order still leaves after the entry is durable.
//
// A fencing counts once, at the moment at which it became known: the machine drops one that it knew before the release.
// What hosts report of epochs up to the record's floor never reaches the machine: those are old copies.

import Model
import Ownership

struct TakeoverFollower {
    private var machine: ForcedTakeoverMachine
    /// What the machine takes for stored.
    private var entry: OwnershipEntry?
    /// When the hosts were fenced that the machine knows to be off.
    private var fencings: [HostName: Duration] = [:]
    /// What the machine ordered in the last look.
    private(set) var order: ForcedTakeoverOrder?

    init(vm: VMID, entry: OwnershipEntry?) {
        machine = ForcedTakeoverMachine(vm: vm, entry: entry)
        self.entry = entry
    }

    /// There is a release without an answer, or a takeover under way.
    var isNeeded: Bool { machine.isWaiting }

    /// Begins a look: the record may have changed since by other orders.
    mutating func beginUpdate(from entry: OwnershipEntry?) {
        order = nil
        guard entry != self.entry else { return }
        self.entry = entry
        _ = machine.handleEvent(.notStored(current: entry))
    }

    /// - Parameter fencedAt: nil while the host is not known to be off.
    mutating func observeFencing(of host: HostName, fencedAt: Duration?) -> [OwnershipEntry] {
        guard fencings[host] != fencedAt else { return [] }
        fencings[host] = fencedAt
        return handleEvent(fencedAt == nil ? .returned(host) : .fenced(host))
    }

    mutating func observeOwnership(_ ownership: Ownership, reportedBy host: HostName)
        -> [OwnershipEntry]
    {
        handleEvent(.reported(ownership, by: host))
    }

    /// - Returns: what the VM's record is to say, in this order.
    private mutating func handleEvent(_ event: ForcedTakeoverMachine.Event) -> [OwnershipEntry] {
        var entries: [OwnershipEntry] = []
        var actions = machine.handleEvent(event)
        while !actions.isEmpty {
            switch actions.removeFirst() {
            case .store(let next, _):
                entry = next
                entries.append(next)
                actions += machine.handleEvent(.stored)
            case .takeOver(let order): self.order = order
            }
        }
        return entries
    }
}
