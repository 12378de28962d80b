// Everything at one moment, as a value; and every next moment that can follow.
//
// A step is what nobody can look into: one action of a driver, one word taken from a connection, one write to a disk,
// one fault. Between any two of them anything else may happen, and all of it is explored.

import Model
import Ownership
import VMControl

/// Whether something lasting may be left undone: what is fair happens in the end, when it stays possible.
enum StepKind: Hashable, Sendable {
    case fair
    /// Spends from the budget, or is somebody's wish.
    case chance
}

/// Takes the states that follow a state, always in the same order. The words are made only when they are asked for.
final class Visit {
    private let take: (_ kind: StepKind, _ next: World, _ words: () -> String) -> Void

    init(_ take: @escaping (_ kind: StepKind, _ next: World, _ words: () -> String) -> Void) {
        self.take = take
    }

    func callAsFunction(_ kind: StepKind, _ next: World, _ words: () -> String) {
        take(kind, next, words)
    }
}

/// What stays the same while a world goes on.
struct Rules: Sendable {
    let bounds: Bounds
    let plant: Plant?

    func has(_ plant: Plant) -> Bool { self.plant == plant }
}

struct World: Sendable {
    var hosts: Hosts
    var connections: [Connection] = []
    var inquiries: [Inquiry] = []
    /// Never read on connections that are gone; kept only where connections are mixed up.
    var leftovers: [Word] = []
    /// None or one.
    var controllers: [Controller] = []
    var budget: Budget
    var migrations: UInt8 = 0
    var isPartitioned = false
    var violation: Violation?

    /// The VM runs on S and has never moved.
    init(_ bounds: Bounds) {
        var s = HostState(ledger: HostLedger(.owned(.first, migration: nil)))
        s.place = .present
        s.process = Process(lifecycle: Lifecycle(state: .running))
        hosts = Hosts(s: s, d: HostState(ledger: HostLedger(nil)))
        budget = Budget(bounds.faults)
        if bounds.hasController { controllers = [Controller(store: nil)] }
    }

    func with(_ change: (inout World) -> Void) -> World {
        var next = self
        change(&next)
        return next
    }

    func successors(_ rules: Rules, _ visit: Visit) {
        guard violation == nil else { return }
        for side in Side.allCases {
            begin(side, rules, visit)
            sourceStep(side, rules, visit)
            for index in hosts[side].sessions.indices { sessionStep(side, index, rules, visit) }
            errandStep(side, rules, visit)
            processStep(side, rules, visit)
            startStep(side, rules, visit)
            faults(side, rules, visit)
        }
        for index in inquiries.indices { deskStep(index, rules, visit) }
        networkSteps(rules, visit)
        controllerSteps(rules, visit)
    }

    /// One write, with each way in which it can end.
    ///
    /// - Parameter isExpected: a contradiction is part of the protocol here.
    func write(
        _ record: LedgerRecord, on side: Side, isExpected: Bool = false, _ rules: Rules,
        _ visit: Visit, then: (inout World, _ isWritten: Bool) -> Void
    ) {
        let check = hosts[side].ledger.check(record)
        switch rules.has(.forgottenNeverRan) && record.isArrival ? .allowed : check {
        case .holds:
            let next = with { then(&$0, true) }
            visit(.fair, next) { "\(side.label)'s ledger says \(record.words) already" }
        case .contradiction:
            let next = with {
                if !isExpected { $0.violation = .contradiction }
                then(&$0, false)
            }
            visit(.fair, next) { "\(side.label)'s ledger rules out \(record.words)" }
        case .allowed:
            let next = with {
                $0.hosts[side].ledger.write(record, isFlushed: !rules.has(.forgottenFlush))
                then(&$0, true)
            }
            visit(.fair, next) { "\(side.label) writes \(record.words)" }
            guard budget.allows(.disk) else { return }
            let failed = with {
                $0.budget.spend(.disk)
                $0.hosts[side].ledger.fail(record)
                then(&$0, false)
            }
            visit(.chance, failed) { "\(side.label)'s disk fails to write \(record.words)" }
        }
    }
}
