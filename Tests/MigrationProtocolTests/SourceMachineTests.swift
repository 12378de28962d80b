// The source's machine, by events and actions.

import MigrationProtocol
import Model
import Ownership
import Testing

private let vm = Identifier128(high: 1, low: 1)
private let migration = Identifier128(high: 2, low: 2)
private let digest = MemoryDigest(low: 5, high: 6)
private let terms = DowntimeTerms(
    vcpus: 1, roundTrip: .microseconds(100), ledgerWrite: .milliseconds(1))

private func host(_ name: String) -> HostName {
    do { return try HostName(name) } catch { fatalError("\(error)") }
}

private func machine(limit: Duration = .milliseconds(50)) -> SourceMachine {
    SourceMachine(
        vm: vm, migration: migration, epoch: Epoch(4), destination: host("b"),
        downtimeLimit: limit, questionsMax: 2)
}

private let few = RoundFacts(pages: 1000, dirtyPages: 3, duration: .milliseconds(100))
private let released = LedgerRecord.released(
    vm: vm, epoch: Epoch(5), to: host("b"), migration: migration)
private let handedOver = LedgerRecord.handedOver(
    vm: vm, epoch: Epoch(5), to: host("b"), migration: migration)
private let takenBack = LedgerRecord.owned(vm: vm, epoch: Epoch(6), migration: nil)
private let question = OwnershipQuestion(vm: vm, epoch: Epoch(5), migration: migration)

/// The way to the release, event by event, with the actions each must cause.
private let way: [(event: SourceMachine.Event, actions: [SourceMachine.Action])] = [
    (.start, [.connect]),
    (.connected, [.offer]),
    (.accepted(terms), [.sendRound(1)]),
    (.roundEnded(few), [.pause]),
    (.paused, [.sendLast(round: 2)]),
    (.sentAll(digest: digest), [.seal]),
    (.sealed, []),
    (.ready(digest: digest), [.write(released)]),
]

private func machine(after steps: Int) -> SourceMachine {
    var machine = machine()
    for step in way.prefix(steps) { #expect(machine.handleEvent(step.event) == step.actions) }
    return machine
}

@Suite("Source machine")
struct SourceMachineTests {
    @Test func `A migration that goes well writes before it sends`() {
        var machine = machine(after: way.count)
        #expect(machine.handleEvent(.recordWritten) == [.sendGo(Epoch(5))])
        #expect(machine.handleEvent(.running(Epoch(5))) == [.write(handedOver)])
        #expect(machine.handleEvent(.recordWritten) == [.end(.handedOver(Epoch(5)))])
    }

    @Test(arguments: 1..<8)
    func `Before the release every failure leaves the VM running here`(_ steps: Int) {
        let refusal = MigrationRefusal(.busy, text: "no")
        let failures: [(SourceMachine.Event, SourceMachine.Cause)] = [
            (.cancel, .cancelled), (.peerLost, .peerLost), (.failed, .failed),
            (.refused(refusal), .refused(refusal)),
        ]
        for (event, cause) in failures {
            var machine = machine(after: steps)
            #expect(machine.canCancel)
            #expect(machine.handleEvent(event) == [.resumeGuest, .abandon(cause.refusal)])
            #expect(!machine.canCancel)
            #expect(machine.handleEvent(.resumed) == [.end(.runsHere(Epoch(4), cause))])
        }
    }

    @Test func `A guest that will not resume is told as stopped`() {
        var machine = machine(after: 5)
        _ = machine.handleEvent(.peerLost)
        #expect(machine.handleEvent(.resumeFailed) == [.end(.stoppedHere(Epoch(4), .peerLost))])
    }

    @Test func `Roots that differ end it before the release`() {
        var machine = machine(after: 7)
        let other = MemoryDigest(low: 9, high: 9)
        let cause = SourceMachine.Cause.memoryDiffers(source: digest, destination: other)
        #expect(
            machine.handleEvent(.ready(digest: other)) == [.resumeGuest, .abandon(cause.refusal)])
    }

    @Test func `A release that cannot be written is no release`() {
        var machine = machine(after: 8)
        #expect(!machine.canCancel)
        let cause = SourceMachine.Cause.ledgerFailed
        #expect(machine.handleEvent(.recordFailed) == [.resumeGuest, .abandon(cause.refusal)])
        #expect(machine.handleEvent(.resumed) == [.end(.runsHere(Epoch(4), cause))])
    }

    @Test func `After the release a cancel, a loss or a no does not resume`() {
        for event: SourceMachine.Event in [
            .cancel, .peerLost, .failed, .refused(MigrationRefusal(.busy, text: "no")), .resumed,
        ] {
            var machine = machine(after: 8)
            #expect(machine.handleEvent(event) == [], "while the record is being written")
            #expect(machine.handleEvent(.recordWritten) == [.sendGo(Epoch(5))])
        }
        var machine = machine(after: 8)
        _ = machine.handleEvent(.recordWritten)
        #expect(machine.handleEvent(.cancel) == [])
    }

    @Test(arguments: [
        SourceMachine.Event.peerLost, .failed,
        .refused(MigrationRefusal(.ledgerFailure, text: "no")),
    ])
    func `A lost answer is asked for`(_ event: SourceMachine.Event) {
        var machine = machine(after: 8)
        _ = machine.handleEvent(.recordWritten)
        #expect(machine.handleEvent(event) == [.ask(question, attempt: 1)])
        #expect(machine.handleEvent(.answer(.taken(Epoch(5)))) == [.write(handedOver)])
        #expect(machine.handleEvent(.recordFailed) == [.end(.handedOver(Epoch(5)))])
    }

    @Test func `Only a written never-ran lets the source take the next epoch and resume`() {
        var machine = machine(after: 8)
        _ = machine.handleEvent(.recordWritten)
        _ = machine.handleEvent(.peerLost)
        #expect(machine.handleEvent(.answer(.neverRan(Epoch(5)))) == [.write(takenBack)])
        #expect(machine.handleEvent(.recordWritten) == [.resumeGuest])
        #expect(machine.handleEvent(.resumed) == [.end(.runsHere(Epoch(6), .neverRan))])
    }

    @Test func `A never-ran on the control connection counts as well`() {
        var machine = machine(after: 8)
        _ = machine.handleEvent(.recordWritten)
        #expect(machine.handleEvent(.answer(.neverRan(Epoch(5)))) == [.write(takenBack)])
    }

    @Test func `A never-ran about another epoch is no answer`() {
        var machine = machine(after: 8)
        _ = machine.handleEvent(.recordWritten)
        _ = machine.handleEvent(.peerLost)
        #expect(machine.handleEvent(.answer(.neverRan(Epoch(3)))) == [.ask(question, attempt: 2)])
    }

    @Test func `A take-back that cannot be written leaves it unsettled`() {
        var machine = machine(after: 8)
        _ = machine.handleEvent(.recordWritten)
        _ = machine.handleEvent(.peerLost)
        _ = machine.handleEvent(.answer(.neverRan(Epoch(5))))
        #expect(machine.handleEvent(.recordFailed) == [.end(.unsettled(Epoch(5), .ledgerFailed))])
    }

    @Test func `Silence is not a no`() {
        var machine = machine(after: 8)
        _ = machine.handleEvent(.recordWritten)
        _ = machine.handleEvent(.peerLost)
        #expect(machine.handleEvent(.noAnswer) == [.ask(question, attempt: 2)])
        #expect(machine.handleEvent(.noAnswer) == [.end(.unsettled(Epoch(5), .noAnswer))])
    }

    @Test func `A source that starts again with a release can only ask`() {
        var machine = SourceMachine(asking: question, destination: host("b"), questionsMax: 1)
        #expect(!machine.canCancel)
        #expect(machine.handleEvent(.answer(.neverRan(Epoch(5)))) == [.write(takenBack)])
        machine = SourceMachine(asking: question, destination: host("b"), questionsMax: 1)
        #expect(machine.handleEvent(.answer(.taken(Epoch(9)))).first != nil)
    }

    @Test func `A guest that writes too fast is held back, and told about`() {
        var machine = machine(after: 3)
        let fast = RoundFacts(pages: 10_000, dirtyPages: 10_000, duration: .seconds(1))
        #expect(machine.handleEvent(.roundEnded(fast)) == [.sendRound(2)])
        #expect(machine.handleEvent(.roundEnded(fast)) == [.throttle(percent: 20), .sendRound(3)])
        var actions: [SourceMachine.Action] = []
        for _ in 3...Limits.roundsMax where actions.first != .resumeGuest {
            actions = machine.handleEvent(.roundEnded(fast))
        }
        guard case .abandon(let words) = actions.last else {
            Issue.record("it goes on: \(actions)")
            return
        }
        #expect(words.code == .gaveUp)
    }
}
