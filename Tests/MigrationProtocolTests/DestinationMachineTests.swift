// The destination's machine, by events and actions.

import MigrationProtocol
import Model
import Ownership
import Testing

private let vm = Identifier128(high: 1, low: 1)
private let migration = Identifier128(high: 2, low: 2)
private let digest = MemoryDigest(low: 5, high: 6)
private let refusal = MigrationRefusal(.timedOut, text: "gone")

private func fixed<Value>(_ make: () throws -> Value) -> Value {
    do { return try make() } catch { fatalError("\(error)") }
}

private let source = fixed { try HostName("a") }
private let offer = MigrationOffer(
    migration: migration, vm: vm, epoch: Epoch(4),
    spec: VMSpec(name: fixed { try VMName("web") }, memory: .mebibytes(16)),
    cpuFeatures: CPUFeatures([]), streams: 1, hashSeed: 1)
private let incoming = LedgerRecord.incoming(
    vm: vm, epoch: Epoch(5), from: source, migration: migration)
private let owned = LedgerRecord.owned(vm: vm, epoch: Epoch(5), migration: migration)
private let neverRan = LedgerRecord.neverRan(vm: vm, epoch: Epoch(5), migration: migration)

private let way: [(event: DestinationMachine.Event, actions: [DestinationMachine.Action])] = [
    (.offered(offer, from: source), [.prepare(offer)]),
    (.prepared, [.write(incoming)]),
    (.recordWritten, [.accept]),
    (.complete(ours: digest, theirs: digest), [.load]),
    (.loaded, [.sendReady(digest)]),
    (.go(Epoch(5)), [.write(owned)]),
    (.recordWritten, [.resumeGuest]),
    (.resumed, [.sendRunning(Epoch(5)), .end(.running(Epoch(5)))]),
]

private func machine(after steps: Int) -> DestinationMachine {
    var machine = DestinationMachine()
    for step in way.prefix(steps) { #expect(machine.handleEvent(step.event) == step.actions) }
    return machine
}

@Suite("Destination machine")
struct DestinationMachineTests {
    @Test func `A migration that goes well is owned on disk before it runs`() {
        #expect(machine(after: way.count).isEnded)
    }

    @Test func `A host that refuses keeps nothing`() {
        var machine = machine(after: 1)
        #expect(
            machine.handleEvent(.prepareRefused(refusal)) == [
                .refuse(refusal), .end(.refused(refusal)),
            ])
    }

    @Test(arguments: [3, 4, 5])
    func `Any failure before GO writes never-ran and discards`(_ steps: Int) {
        for event: DestinationMachine.Event in [
            .refused(refusal), .peerLost(refusal), .failed(refusal),
        ] {
            var machine = machine(after: steps)
            #expect(machine.handleEvent(event) == [.write(neverRan)])
            #expect(
                machine.handleEvent(.recordWritten)
                    == [.refuse(refusal), .discardGuest, .end(.discarded(refusal))])
        }
    }

    @Test func `Roots that differ are refused before the state is loaded`() {
        var machine = machine(after: 3)
        let other = MemoryDigest(low: 0, high: 0)
        #expect(machine.handleEvent(.complete(ours: digest, theirs: other)) == [.write(neverRan)])
    }

    @Test func `An incoming record that cannot be written ends it`() {
        var machine = machine(after: 2)
        #expect(
            machine.handleEvent(.recordFailed(refusal))
                == [.discardGuest, .refuse(refusal), .end(.discarded(refusal))])
    }

    @Test func `Owned that cannot be written becomes never-ran, and the source is told`() {
        var machine = machine(after: 6)
        #expect(machine.handleEvent(.recordFailed(refusal)) == [.write(neverRan)])
        #expect(
            machine.handleEvent(.recordWritten)
                == [.sendNeverRan(Epoch(5)), .discardGuest, .end(.discarded(refusal))])
    }

    @Test func `A ledger that takes nothing after GO leaves it undecided, and the guest kept`() {
        var machine = machine(after: 6)
        _ = machine.handleEvent(.recordFailed(refusal))
        #expect(
            machine.handleEvent(.recordFailed(refusal)) == [
                .refuse(refusal), .end(.undecided(refusal)),
            ])
    }

    @Test func `A guest that will not resume is still owned here`() {
        var machine = machine(after: 7)
        #expect(
            machine.handleEvent(.resumeFailed(refusal))
                == [.sendRunning(Epoch(5)), .end(.ownedButStopped(Epoch(5), refusal))])
    }

    @Test func `After GO a loss changes nothing`() {
        for steps in [6, 7] {
            var machine = machine(after: steps)
            #expect(machine.isCommitted)
            #expect(machine.handleEvent(.peerLost(refusal)) == [])
            #expect(machine.handleEvent(.refused(refusal)) == [])
        }
    }

    @Test func `GO out of turn or for another epoch does not run the guest`() {
        for steps in [3, 4] {
            var machine = machine(after: steps)
            #expect(machine.handleEvent(.go(Epoch(5))) == [.write(neverRan)])
        }
        var machine = machine(after: 5)
        #expect(machine.handleEvent(.go(Epoch(6))) == [.write(neverRan)])
    }
}
