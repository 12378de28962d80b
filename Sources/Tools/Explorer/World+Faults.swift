// What happens to hosts and connections from outside, and what people do.

import MigrationProtocol
import Model
import Ownership

extension World {
    func addHostFaults(on side: Side, to steps: Steps) {
        let host = hosts[side]
        if host.agent != .down { addCrashes(on: side, fault: .agentCrash, to: steps) }
        if host.isOn { addCrashes(on: side, fault: .hostOff, to: steps) }
        if !host.isOn, budget.allows(.hostReturn) {
            let next = with {
                $0.budget.spend(.hostReturn)
                $0.hosts[side].isOn = true
            }
            steps.add(next, as: .chance) { "\(side.label) has power again" }
        }
        if host.process != nil, budget.allows(.processKill) {
            let next = with { $0.killProcess(on: side) }
            steps.add(next, as: .chance) { "\(side.label)'s ferry-vmm is killed" }
        }
        addOperatorDecisions(on: side, to: steps)
    }

    mutating func killProcess(on side: Side) {
        budget.spend(.processKill)
        hosts[side].endProcess()
        hosts[side].hasLostProcess = true
    }

    /// An operator's `ferry vm recover`: at the host that had released the VM, or at one that cannot say whether it
    /// took it.
    private func addOperatorDecisions(on side: Side, to steps: Steps) {
        let host = hosts[side]
        guard host.isUp, budget.allows(.forcedTakeover) else { return }
        let decided = with { $0.budget.spend(.forcedTakeover) }
        if host.undecided != nil,
            case .incoming(let epoch, _, let migration)? = host.ledger.ownership
        {
            let record = LedgerRecord.neverRan(
                vm: FixedValues.vm, epoch: epoch, migration: migration)
            decided.addWrite(of: record, on: side, mayContradict: true, to: steps) { _, _ in }
        }
        guard host.outgoing.isEmpty,
            !hosts[side.other].isOn || steps.rules.bounds.operatorMayErr,
            let record = host.ledger.ownership?.takeover(vm: FixedValues.vm)
        else { return }
        decided.addTakeover(writing: record, on: side, to: steps)
    }

    func addNetworkSteps(to steps: Steps) {
        for connection in connections where !connection.isBroken && budget.allows(.cut) {
            let next = with {
                $0.budget.spend(.cut)
                $0.breakConnection(connection.number)
            }
            steps.add(next, as: .chance) { "the connection breaks" }
        }
        for (index, query) in queries.enumerated() where !query.isAwaited && query.stage == .sent {
            steps.add(with { $0.queries.remove(at: index) }) { "a late question is lost" }
        }
        addPartitions(to: steps)
        addStrangers(to: steps)
    }

    private mutating func breakConnection(_ number: UInt8) {
        for index in connections.indices where connections[index].number == number {
            connections[index].isBroken = true
        }
    }

    private func addPartitions(to steps: Steps) {
        if isPartitioned {
            let next = with { $0.isPartitioned = false }
            return steps.add(next) { "the hosts reach each other again" }
        }
        guard budget.allows(.partition) else { return }
        let next = with {
            $0.budget.spend(.partition)
            $0.isPartitioned = true
            for connection in $0.connections { $0.breakConnection(connection.number) }
        }
        steps.add(next, as: .chance) { "the hosts cannot reach each other any more" }
    }

    /// A stranger that knows every value of the question.
    private func addStrangers(to steps: Steps) {
        guard budget.allows(.stranger) else { return }
        for side in Side.allCases where hosts[side].isUp {
            guard case .incoming(let epoch, _, let migration)? = hosts[side].ledger.ownership else {
                continue
            }
            let question = OwnershipQuestion(
                vm: FixedValues.vm, epoch: epoch, migration: migration)
            let next = with {
                $0.budget.spend(.stranger)
                $0.queries.append(
                    QueryInTransit(
                        body: .question(question), to: side, isFromStranger: true,
                        isAwaited: false))
            }
            steps.add(next, as: .chance) { "a stranger asks \(side.label) about epoch \(epoch)" }
        }
    }
}
