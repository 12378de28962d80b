// The controller's machine, by events and actions.

import Model
import Ownership
import Testing

private let vm = Identifier128(high: 1, low: 1)
private let migration = Identifier128(high: 2, low: 2)

private func host(_ name: String) -> HostName {
    do { return try HostName(name) } catch { fatalError("\(error)") }
}

private let s = host("s")
private let d = host("d")
private let released = Ownership.released(Epoch(5), to: d, migration: migration)
private let known = OwnershipEntry(epoch: Epoch(4), host: s)
private let takeover = ForcedTakeoverOrder(
    vm: vm, epoch: Epoch(6), host: s, against: d, migration: migration)
private let decided = OwnershipEntry(epoch: Epoch(6), host: s, takeover: takeover)

/// One that has heard of the release.
private func machine(_ entry: OwnershipEntry? = known) -> ForcedTakeoverMachine {
    var machine = ForcedTakeoverMachine(vm: vm, entry: entry)
    #expect(machine.handleEvent(.reported(released, by: s)) == [])
    return machine
}

@Suite("Forced takeover machine")
struct ForcedTakeoverMachineTests {
    @Test func `A takeover is stored before it is ordered`() {
        var machine = machine()
        #expect(machine.handleEvent(.fenced(d)) == [.store(decided, replacing: known)])
        #expect(machine.handleEvent(.reported(released, by: s)) == [])
        #expect(machine.handleEvent(.stored) == [.takeOver(takeover)])
    }

    @Test func `No takeover against a host that is only silent, or was off before the release`() {
        var machine = ForcedTakeoverMachine(vm: vm, entry: known)
        #expect(machine.handleEvent(.fenced(d)) == [])
        #expect(machine.handleEvent(.reported(released, by: s)) == [])
        #expect(machine.handleEvent(.reported(released, by: s)) == [])
        #expect(machine.handleEvent(.fenced(s)) == [])
        #expect(machine.handleEvent(.fenced(d)) == [.store(decided, replacing: known)])
    }

    @Test func `No takeover against a host that came back`() {
        var machine = machine(OwnershipEntry(epoch: Epoch(4), host: s, takeover: nil))
        #expect(machine.handleEvent(.returned(d)) == [])
        #expect(machine.handleEvent(.reported(released, by: s)) == [])
    }

    @Test func `A host that took the VM keeps it, on or off`() {
        var machine = ForcedTakeoverMachine(vm: vm, entry: known)
        let taken = OwnershipEntry(epoch: Epoch(5), host: d)
        #expect(
            machine.handleEvent(.reported(.owned(Epoch(5), migration: migration), by: d))
                == [.store(taken, replacing: known)])
        #expect(machine.handleEvent(.stored) == [])
        #expect(machine.handleEvent(.reported(released, by: s)) == [])
        #expect(machine.handleEvent(.fenced(d)) == [])
    }

    @Test func `Of two controllers only one decides`() {
        var (first, second) = (machine(), machine())
        #expect(first.handleEvent(.fenced(d)) == [.store(decided, replacing: known)])
        #expect(second.handleEvent(.fenced(d)) == [.store(decided, replacing: known)])
        #expect(first.handleEvent(.stored) == [.takeOver(takeover)])
        // The store had another entry by then.
        #expect(second.handleEvent(.notStored(current: decided)) == [])
        #expect(second.handleEvent(.fenced(d)) == [])
        #expect(second.handleEvent(.reported(released, by: s)) == [.takeOver(takeover)])
    }

    @Test func `A controller that starts again goes on with what its store says`() {
        var machine = ForcedTakeoverMachine(vm: vm, entry: decided)
        #expect(machine.handleEvent(.reported(released, by: s)) == [.takeOver(takeover)])
        let settled = OwnershipEntry(epoch: Epoch(6), host: s)
        let taken = Ownership.takenOver(Epoch(6), against: d, migration: migration)
        #expect(
            machine.handleEvent(.reported(taken, by: s)) == [.store(settled, replacing: decided)])
        #expect(machine.handleEvent(.stored) == [])
    }

    @Test func `A takeover that came too late is abandoned`() {
        var answered = ForcedTakeoverMachine(vm: vm, entry: decided)
        let handedOver = Ownership.handedOver(Epoch(5), to: d, migration: migration)
        #expect(
            answered.handleEvent(.reported(handedOver, by: s))
                == [.store(OwnershipEntry(epoch: Epoch(5), host: d), replacing: decided)])

        var movedOn = ForcedTakeoverMachine(vm: vm, entry: decided)
        let later = Ownership.released(Epoch(8), to: d, migration: Identifier128(high: 2, low: 3))
        #expect(
            movedOn.handleEvent(.reported(later, by: s))
                == [.store(OwnershipEntry(epoch: Epoch(7), host: s), replacing: decided)])
    }

    @Test func `A host takes over only what the decision was based on`() {
        #expect(
            takeover.ledgerRecord(after: released)
                == .takenOver(vm: vm, epoch: Epoch(6), against: d, migration: migration))
        let other = Identifier128(high: 2, low: 3)
        for ownership: Ownership? in [
            nil, .owned(Epoch(4), migration: nil), .released(Epoch(5), to: d, migration: other),
            .released(Epoch(7), to: d, migration: migration),
            .released(Epoch(5), to: s, migration: migration),
            .handedOver(Epoch(5), to: d, migration: migration),
        ] { #expect(takeover.ledgerRecord(after: ownership) == nil) }
    }
}
