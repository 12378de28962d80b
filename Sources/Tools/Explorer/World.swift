// The state of everything at one moment, as a value, and every state that can follow it.
//
// A step is what nothing else can observe half done: one action of a driver, one message taken from a connection, one
// write to a disk, one fault. Between any two steps any other step may happen, and every order is explored.

import MigrationProtocol
import Model
import Ownership
import VMControl

struct World: Sendable {
    var hosts: HostPair
    var connections: [Connection] = []
    /// Ownership queries that are on their way, in work or answered.
    var queries: [QueryInTransit] = []
    /// Messages that were not read on connections that are gone; kept only where connections are mixed up.
    var unreadMessages: [ControlMessage] = []
    /// None or one.
    var controllers: [Controller] = []
    var budget: Budget
    var migrations: UInt8 = 0
    var isPartitioned = false
    var violation: Violation?

    /// The VM runs on S and has never migrated.
    init(_ bounds: Bounds) {
        var s = HostState(ledger: HostLedger(.owned(.first, migration: nil)))
        s.place = .present
        s.process = VMProcess(lifecycle: Lifecycle(state: .running))
        hosts = HostPair(s: s, d: HostState(ledger: HostLedger(nil)))
        budget = Budget(bounds.faults)
        if bounds.hasController { controllers = [Controller(store: nil)] }
    }

    func makeSuccessor(applying change: (inout World) -> Void) -> World {
        var next = self
        change(&next)
        return next
    }

    func addSuccessors(to steps: Steps) {
        guard violation == nil else { return }
        for side in Side.allCases {
            addMigrationStarts(on: side, to: steps)
            addSourceSteps(on: side, to: steps)
            for index in hosts[side].sessions.indices {
                addSessionSteps(on: side, session: index, to: steps)
            }
            addResolutionSteps(on: side, to: steps)
            addProcessSteps(on: side, to: steps)
            addStartSteps(on: side, to: steps)
            addHostFaults(on: side, to: steps)
        }
        for index in queries.indices { addQueryServerSteps(query: index, to: steps) }
        addNetworkSteps(to: steps)
        addControllerSteps(to: steps)
    }

    /// One write to a ledger, with each way in which it can end.
    ///
    /// - Parameters:
    ///   - mayContradict: a contradiction is part of the protocol here.
    ///   - then: gets whether the record is in the ledger.
    func addLedgerWrite(
        of record: LedgerRecord, on side: Side, mayContradict: Bool = false, to steps: Steps,
        then: (_ world: inout World, _ isWritten: Bool) -> Void
    ) {
        let check = hosts[side].ledger.checkRecord(record)
        switch steps.rules.hasPlantedBug(.forgottenNeverRan) && record.isArrival ? .allowed : check
        {
        case .holds:
            let next = makeSuccessor { then(&$0, true) }
            steps.addSuccessor(next) { "\(side.label)'s ledger says \(record.text) already" }
        case .contradiction:
            let next = makeSuccessor {
                if !mayContradict { $0.violation = .contradiction }
                then(&$0, false)
            }
            steps.addSuccessor(next) { "\(side.label)'s ledger rules out \(record.text)" }
        case .allowed:
            let next = makeSuccessor {
                $0.hosts[side].ledger.writeRecord(
                    record, isFlushed: !steps.rules.hasPlantedBug(.forgottenFlush))
                then(&$0, true)
            }
            steps.addSuccessor(next) { "\(side.label) writes \(record.text)" }
            guard budget.allowsFault(.disk) else { return }
            let failed = makeSuccessor {
                $0.budget.consumeFault(.disk)
                $0.hosts[side].ledger.recordTornWrite(of: record)
                then(&$0, false)
            }
            steps.addSuccessor(failed, as: .chance) {
                "\(side.label)'s disk fails to write \(record.text)"
            }
        }
    }
}
