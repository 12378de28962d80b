// A connection lost in pre-copy: both machines go on where they were.

import MigrationProtocol
import Model
import Ownership
import Testing

private let vm = Identifier128(high: 1, low: 1)
private let migration = Identifier128(high: 2, low: 2)
private let terms = DowntimeTerms(
    vcpus: 1, roundTrip: .microseconds(100), ledgerWrite: .milliseconds(1))
private let lost = MigrationRefusal(.timedOut, text: "gone")

private func fixed<Value>(_ make: () throws -> Value) -> Value {
    do { return try make() } catch { fatalError("\(error)") }
}

private let a = fixed { try HostName("a") }
private let b = fixed { try HostName("b") }

private func offer(
    _ migration: MigrationID = migration, memory: ByteCount = .mebibytes(16),
    isRehearsal: Bool = false
) -> MigrationOffer {
    MigrationOffer(
        migration: migration, vm: vm, epoch: Epoch(4),
        spec: VMSpec(name: fixed { try VMName("web") }, memory: memory),
        cpuFeatures: CPUFeatures([]), streams: 1, hashSeed: 1, isRehearsal: isRehearsal)
}

private func incoming(_ migration: MigrationID = migration) -> LedgerRecord {
    .incoming(vm: vm, epoch: Epoch(5), from: a, migration: migration)
}
private let neverRan = LedgerRecord.neverRan(vm: vm, epoch: Epoch(5), migration: migration)

@Suite("Broken pre-copy, source")
struct ReconnectTests {
    private let few = RoundFacts(pages: 1000, dirtyPages: 3, duration: .milliseconds(100))
    /// Writes as fast as pages are sent: held back after the second round.
    private let stuck = RoundFacts(pages: 10_000, dirtyPages: 9_000, duration: .seconds(1))

    private func copying() -> SourceMachine {
        var machine = SourceMachine(
            vm: vm, migration: migration, epoch: Epoch(4), destination: b,
            downtimeLimit: .milliseconds(50), questionsMax: 2, reconnectsMax: 2)
        _ = machine.handleEvent(.start)
        _ = machine.handleEvent(.connected)
        #expect(machine.handleEvent(.accepted(terms)) == [.sendRound(1)])
        return machine
    }

    @Test func `A loss in pre-copy is followed by another connection and the next round`() {
        var machine = copying()
        #expect(machine.handleEvent(.peerLost) == [.reconnect(attempt: 1)])
        #expect(machine.canCancel)
        #expect(machine.handleEvent(.connected) == [.offer])
        #expect(machine.handleEvent(.accepted(terms)) == [.sendRound(2)])
        #expect(machine.handleEvent(.roundEnded(few)) == [.pause])
    }

    @Test func `The guest is not held back while there is nobody to send to`() {
        var machine = copying()
        _ = machine.handleEvent(.roundEnded(stuck))
        #expect(machine.handleEvent(.roundEnded(stuck)) == [.throttle(percent: 20), .sendRound(3)])
        #expect(machine.handleEvent(.peerLost) == [.throttle(percent: 0), .reconnect(attempt: 1)])
        #expect(machine.handleEvent(.peerLost) == [.reconnect(attempt: 2)])
        #expect(machine.handleEvent(.connected) == [.offer])
        #expect(machine.handleEvent(.accepted(terms)) == [.throttle(percent: 20), .sendRound(4)])
    }

    @Test func `It does not try for ever`() {
        var machine = copying()
        _ = machine.handleEvent(.peerLost)
        #expect(machine.handleEvent(.connected) == [.offer])
        #expect(machine.handleEvent(.peerLost) == [.reconnect(attempt: 2)])
        #expect(
            machine.handleEvent(.peerLost)
                == [.resumeGuest, .abandon(SourceMachine.Cause.peerLost.refusal)])
        #expect(machine.handleEvent(.resumed) == [.end(.runsHere(Epoch(4), .peerLost))])
    }

    @Test func `A cancel, a no and a failure end it while it connects again`() {
        let failures: [(SourceMachine.Event, SourceMachine.Cause)] = [
            (.cancel, .cancelled), (.failed, .failed), (.refused(lost), .refused(lost)),
        ]
        for (event, cause) in failures {
            for isConnected in [false, true] {
                var machine = copying()
                _ = machine.handleEvent(.peerLost)
                if isConnected { _ = machine.handleEvent(.connected) }
                #expect(machine.handleEvent(event) == [.resumeGuest, .abandon(cause.refusal)])
            }
        }
    }

    @Test func `After the pause a loss is a failure: the guest must not stand still for it`() {
        var machine = copying()
        #expect(machine.handleEvent(.roundEnded(few)) == [.pause])
        #expect(
            machine.handleEvent(.peerLost)
                == [.resumeGuest, .abandon(SourceMachine.Cause.peerLost.refusal)])
    }

    @Test func `An attempt that goes on under another name is released under it`() {
        var machine = copying()
        _ = machine.handleEvent(.peerLost)
        machine.renameMigration(to: migration.renewed)
        for event: SourceMachine.Event in [
            .connected, .accepted(terms), .roundEnded(few), .paused, .sentAll(digest: .empty),
            .sealed,
        ] { _ = machine.handleEvent(event) }
        #expect(
            machine.handleEvent(.ready(digest: .empty)) == [
                .write(
                    .released(vm: vm, epoch: Epoch(5), to: b, migration: migration.renewed))
            ])
    }

    @Test func `Nobody is held back for a rehearsal`() {
        var machine = SourceMachine(
            vm: vm, migration: migration, epoch: Epoch(4), destination: b,
            downtimeLimit: .milliseconds(50), questionsMax: 2, isRehearsal: true)
        for event: SourceMachine.Event in [.start, .connected, .accepted(terms)] {
            _ = machine.handleEvent(event)
        }
        #expect(machine.handleEvent(.roundEnded(stuck)) == [.sendRound(2)])
        #expect(!machine.wouldThrottle)
        #expect(machine.handleEvent(.roundEnded(stuck)) == [.rehearse])
        #expect(machine.wouldThrottle)
    }

    @Test func `A rehearsal pauses once, for the state, and never releases`() {
        var machine = SourceMachine(
            vm: vm, migration: migration, epoch: Epoch(4), destination: b,
            downtimeLimit: .milliseconds(50), questionsMax: 2, isRehearsal: true)
        for event: SourceMachine.Event in [.start, .connected, .accepted(terms)] {
            _ = machine.handleEvent(event)
        }
        #expect(machine.handleEvent(.roundEnded(few)) == [.rehearse])
        #expect(machine.canCancel)
        #expect(
            machine.handleEvent(.rehearsed)
                == [.resumeGuest, .abandon(SourceMachine.Cause.rehearsed.refusal)])
        #expect(machine.handleEvent(.resumed) == [.end(.runsHere(Epoch(4), .rehearsed))])
    }
}

@Suite("Broken pre-copy, destination")
struct ParkingTests {
    private func receiving(
        parks: Bool = true, _ offer: MigrationOffer = offer()
    ) -> DestinationMachine {
        var machine = DestinationMachine(parks: parks)
        _ = machine.handleEvent(.offered(offer, from: a))
        _ = machine.handleEvent(.prepared)
        #expect(machine.handleEvent(.recordWritten) == [.accept])
        return machine
    }

    private func parked() -> DestinationMachine {
        var machine = receiving()
        #expect(machine.handleEvent(.peerLost(lost)) == [.park])
        #expect(machine.parkedOffer == offer())
        return machine
    }

    @Test func `What arrived is kept, and an offer of the same VM goes on with it`() {
        let other = Identifier128(high: 2, low: 3)
        for again in [migration, other] {
            var machine = parked()
            #expect(
                machine.handleEvent(.offered(offer(again), from: a)) == [.write(incoming(again))])
            #expect(machine.parkedOffer == nil)
            #expect(machine.handleEvent(.recordWritten) == [.accept])
        }
    }

    @Test func `What nobody asks for is discarded when its time is up`() {
        var machine = parked()
        #expect(machine.handleEvent(.expired) == [.write(neverRan)])
        guard machine.handleEvent(.recordWritten).contains(.discardGuest) else {
            Issue.record("kept")
            return
        }
        #expect(machine.isEnded)
    }

    @Test func `Time that is up too late changes nothing`() {
        var machine = receiving()
        #expect(machine.handleEvent(.expired) == [])
        machine = parked()
        _ = machine.handleEvent(.offered(offer(), from: a))
        #expect(machine.handleEvent(.expired) == [])
        #expect(machine.handleEvent(.recordWritten) == [.accept])
    }

    @Test func `Another VM's offer, or a rehearsal's, does not get it`() {
        for wrong in [offer(memory: .mebibytes(32)), offer(isRehearsal: true)] {
            var machine = parked()
            #expect(machine.handleEvent(.offered(wrong, from: a)) == [.write(neverRan)])
        }
    }

    @Test func `A source that says no wants nothing kept`() {
        var machine = receiving()
        #expect(machine.handleEvent(.refused(lost)) == [.write(neverRan)])
        machine = receiving(parks: false)
        #expect(machine.handleEvent(.peerLost(lost)) == [.write(neverRan)])
    }

    @Test func `A rehearsal loads the state, and can only end`() {
        let digest = MemoryDigest(low: 1, high: 1)
        let rehearsal = offer(isRehearsal: true)
        var machine = receiving(rehearsal)
        #expect(machine.handleEvent(.rehearse) == [.load])
        #expect(machine.handleEvent(.loaded) == [.sendRehearsed])
        for event: DestinationMachine.Event in [
            .go(Epoch(5)), .complete(ours: digest, theirs: digest), .refused(lost), .peerLost(lost),
        ] {
            var tried = machine
            #expect(tried.handleEvent(event) == [.write(neverRan)])
            var early = receiving(rehearsal)
            #expect(early.handleEvent(event) == [.write(neverRan)])
        }
        machine = receiving()
        #expect(machine.handleEvent(.rehearse) == [.write(neverRan)])
    }
}
