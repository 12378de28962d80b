// The controller's machine, by events and actions.

import MigrationProtocol
import Model
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
private let ruling = RulingOrder(vm: vm, epoch: Epoch(6), host: s, against: d, migration: migration)
private let ruled = OwnershipEntry(epoch: Epoch(6), host: s, ruling: ruling)

/// One that has heard of the release.
private func machine(_ entry: OwnershipEntry? = known) -> RulingMachine {
    var machine = RulingMachine(vm: vm, entry: entry)
    #expect(machine.handle(.reported(released, by: s)) == [])
    return machine
}

@Suite("Ruling machine")
struct RulingMachineTests {
    @Test func `A ruling is stored before anybody is told`() {
        var machine = machine()
        #expect(machine.handle(.fenced(d)) == [.store(ruled, replacing: known)])
        #expect(machine.handle(.reported(released, by: s)) == [])
        #expect(machine.handle(.stored) == [.rule(ruling)])
    }

    @Test func `Nobody rules against a host that is only silent, or was off before the release`() {
        var machine = RulingMachine(vm: vm, entry: known)
        #expect(machine.handle(.fenced(d)) == [])
        #expect(machine.handle(.reported(released, by: s)) == [])
        #expect(machine.handle(.reported(released, by: s)) == [])
        #expect(machine.handle(.fenced(s)) == [])
        #expect(machine.handle(.fenced(d)) == [.store(ruled, replacing: known)])
    }

    @Test func `A host that came back is not ruled against`() {
        var machine = machine(OwnershipEntry(epoch: Epoch(4), host: s, ruling: nil))
        #expect(machine.handle(.returned(d)) == [])
        #expect(machine.handle(.reported(released, by: s)) == [])
    }

    @Test func `A host that took the VM keeps it, on or off`() {
        var machine = RulingMachine(vm: vm, entry: known)
        let taken = OwnershipEntry(epoch: Epoch(5), host: d)
        #expect(
            machine.handle(.reported(.owned(Epoch(5), migration: migration), by: d))
                == [.store(taken, replacing: known)])
        #expect(machine.handle(.stored) == [])
        #expect(machine.handle(.reported(released, by: s)) == [])
        #expect(machine.handle(.fenced(d)) == [])
    }

    @Test func `Of two controllers only one rules`() {
        var (first, second) = (machine(), machine())
        #expect(first.handle(.fenced(d)) == [.store(ruled, replacing: known)])
        #expect(second.handle(.fenced(d)) == [.store(ruled, replacing: known)])
        #expect(first.handle(.stored) == [.rule(ruling)])
        // The store had another entry by then.
        #expect(second.handle(.notStored(current: ruled)) == [])
        #expect(second.handle(.fenced(d)) == [])
        #expect(second.handle(.reported(released, by: s)) == [.rule(ruling)])
    }

    @Test func `A controller that starts again goes on with what its store says`() {
        var machine = RulingMachine(vm: vm, entry: ruled)
        #expect(machine.handle(.reported(released, by: s)) == [.rule(ruling)])
        let settled = OwnershipEntry(epoch: Epoch(6), host: s)
        let taken = Ownership.ruled(Epoch(6), against: d, migration: migration)
        #expect(
            machine.handle(.reported(taken, by: s)) == [.store(settled, replacing: ruled)])
        #expect(machine.handle(.stored) == [])
    }

    @Test func `A ruling that came too late is given up`() {
        var answered = RulingMachine(vm: vm, entry: ruled)
        let handedOver = Ownership.handedOver(Epoch(5), to: d, migration: migration)
        #expect(
            answered.handle(.reported(handedOver, by: s))
                == [.store(OwnershipEntry(epoch: Epoch(5), host: d), replacing: ruled)])

        var movedOn = RulingMachine(vm: vm, entry: ruled)
        let later = Ownership.released(Epoch(8), to: d, migration: Identifier128(high: 2, low: 3))
        #expect(
            movedOn.handle(.reported(later, by: s))
                == [.store(OwnershipEntry(epoch: Epoch(7), host: s), replacing: ruled)])
    }

    @Test func `A host takes a ruling only upon what was ruled about`() {
        #expect(
            ruling.record(after: released)
                == .ruled(vm: vm, epoch: Epoch(6), against: d, migration: migration))
        let other = Identifier128(high: 2, low: 3)
        for ownership: Ownership? in [
            nil, .owned(Epoch(4), migration: nil), .released(Epoch(5), to: d, migration: other),
            .released(Epoch(7), to: d, migration: migration),
            .released(Epoch(5), to: s, migration: migration),
            .handedOver(Epoch(5), to: d, migration: migration),
        ] { #expect(ruling.record(after: ownership) == nil) }
    }
}
