// What happens to hosts and connections from outside, and what people do.

import MigrationProtocol
import Model
import Ownership

extension World {
    func addHostFaults(on side: Side, to steps: Steps) {
        let host = hosts[side]
        if host.agent != .down { addCrashes(on: side, causedBy: .agentCrash, to: steps) }
        if host.isOn { addCrashes(on: side, causedBy: .hostOff, to: steps) }
        if !host.isOn, budget.allowsFault(.hostReturn) {
            let next = makeSuccessor {
                $0.budget.consumeFault(.hostReturn)
                $0.hosts[side].isOn = true
            }
            steps.addSuccessor(next, as: .chance) { "\(side.label) has power again" }
        }
        if host.process != nil, budget.allowsFault(.processKill) {
            let next = makeSuccessor { $0.killProcess(on: side) }
            steps.addSuccessor(next, as: .chance) { "\(side.label)'s ferry-vmm is killed" }
        }
        addOperatorDecisions(on: side, to: steps)
    }

    mutating func killProcess(on side: Side) {
        budget.consumeFault(.processKill)
        hosts[side].endProcess()
        hosts[side].hasLostProcess = true
    }

    /// An operator's `ferry vm recover`: at the host that had released the VM, or at one that cannot say whether it
    /// took it.
    private func addOperatorDecisions(on side: Side, to steps: Steps) {
        let host = hosts[side]
        guard host.isUp, budget.allowsFault(.forcedTakeover) else { return }
        let decided = makeSuccessor { $0.budget.consumeFault(.forcedTakeover) }
        if host.undecided != nil,
            case .incoming(let epoch, _, let migration)? = host.ledger.ownership
        {
            let record = LedgerRecord.neverRan(
                vm: FixedValues.vm, epoch: epoch, migration: migration)
            decided.addLedgerWrite(of: record, on: side, mayContradict: true, to: steps) { _, _ in }
        }
        guard host.outgoing.isEmpty,
            !hosts[side.other].isOn || steps.rules.bounds.operatorMayErr,
            let record = host.ledger.ownership?.takeoverRecord(for: FixedValues.vm)
        else { return }
        decided.addTakeover(writing: record, on: side, to: steps)
    }

    func addNetworkSteps(to steps: Steps) {
        for connection in connections where !connection.isBroken && budget.allowsFault(.cut) {
            let next = makeSuccessor {
                $0.budget.consumeFault(.cut)
                $0.breakConnection(numbered: connection.number)
            }
            steps.addSuccessor(next, as: .chance) { "the connection breaks" }
        }
        for (index, query) in queries.enumerated() where !query.isAwaited && query.stage == .sent {
            steps.addSuccessor(makeSuccessor { $0.queries.remove(at: index) }) {
                "a late question is lost"
            }
        }
        addPartitions(to: steps)
        addStrangers(to: steps)
    }

    private mutating func breakConnection(numbered number: UInt8) {
        for index in connections.indices where connections[index].number == number {
            connections[index].isBroken = true
        }
    }

    private func addPartitions(to steps: Steps) {
        if isPartitioned {
            let next = makeSuccessor { $0.isPartitioned = false }
            return steps.addSuccessor(next) { "the hosts reach each other again" }
        }
        guard budget.allowsFault(.partition) else { return }
        let next = makeSuccessor {
            $0.budget.consumeFault(.partition)
            $0.isPartitioned = true
            for connection in $0.connections { $0.breakConnection(numbered: connection.number) }
        }
        steps.addSuccessor(next, as: .chance) { "the hosts cannot reach each other any more" }
    }

    /// A stranger that knows every value of the question.
    private func addStrangers(to steps: Steps) {
        guard budget.allowsFault(.stranger) else { return }
        for side in Side.allCases where hosts[side].isUp {
            guard case .incoming(let epoch, _, let migration)? = hosts[side].ledger.ownership else {
                continue
            }
            let question = OwnershipQuestion(
                vm: FixedValues.vm, epoch: epoch, migration: migration)
            let next = makeSuccessor {
                $0.budget.consumeFault(.stranger)
                $0.queries.append(
                    QueryInTransit(
                        body: .question(question), to: side, isFromStranger: true,
                        isAwaited: false))
            }
            steps.addSuccessor(next, as: .chance) {
                "a stranger asks \(side.label) about epoch \(epoch)"
            }
        }
    }
}
