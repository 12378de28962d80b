// What the world does to hosts and wires, and what people do.

import Model
import Ownership

extension World {
    func faults(_ side: Side, _ rules: Rules, _ visit: Visit) {
        let host = hosts[side]
        if host.agent != .down { crashes(side, .agentCrash, visit) }
        if host.isOn { crashes(side, .hostOff, visit) }
        if !host.isOn, budget.allows(.hostReturn) {
            let next = with {
                $0.budget.spend(.hostReturn)
                $0.hosts[side].isOn = true
            }
            visit(.chance, next) { "\(side.label) has power again" }
        }
        if host.process != nil, budget.allows(.processKill) {
            let next = with {
                $0.budget.spend(.processKill)
                $0.hosts[side].endProcess()
                $0.hosts[side].hasLostProcess = true
            }
            visit(.chance, next) { "\(side.label)'s ferry-vmm is killed" }
        }
        rule(side, rules, visit)
    }

    /// An operator's `ferry vm recover`: at the host that had released the VM, or at one that cannot say whether it
    /// took it.
    private func rule(_ side: Side, _ rules: Rules, _ visit: Visit) {
        let host = hosts[side]
        guard host.isUp, budget.allows(.takeover) else { return }
        if host.undecided != nil,
            case .incoming(let epoch, _, let migration)? = host.ledger.ownership
        {
            let record = LedgerRecord.neverRan(vm: Cast.vm, epoch: epoch, migration: migration)
            with { $0.budget.spend(.takeover) }
                .write(record, on: side, isExpected: true, rules, visit) { _, _ in }
        }
        guard host.outgoing.isEmpty, !hosts[side.other].isOn || rules.bounds.operatorMayErr,
            let record = host.ledger.ownership?.takeover(vm: Cast.vm)
        else { return }
        with { $0.budget.spend(.takeover) }.recordTakeover(record, side, rules, visit)
    }

    func networkSteps(_ rules: Rules, _ visit: Visit) {
        for connection in connections where !connection.isBroken && budget.allows(.cut) {
            let next = with {
                $0.budget.spend(.cut)
                $0.breakConnection(connection.number)
            }
            visit(.chance, next) { "the connection breaks" }
        }
        for (index, inquiry) in inquiries.enumerated()
        where !inquiry.isAwaited && inquiry.stage == .sent {
            visit(.fair, with { $0.inquiries.remove(at: index) }) { "a late question is lost" }
        }
        partitions(visit)
        strangers(visit)
    }

    private mutating func breakConnection(_ number: UInt8) {
        for index in connections.indices where connections[index].number == number {
            connections[index].isBroken = true
        }
    }

    private func partitions(_ visit: Visit) {
        if isPartitioned {
            let next = with { $0.isPartitioned = false }
            return visit(.fair, next) { "the hosts reach each other again" }
        }
        guard budget.allows(.partition) else { return }
        let next = with {
            $0.budget.spend(.partition)
            $0.isPartitioned = true
            for connection in $0.connections { $0.breakConnection(connection.number) }
        }
        visit(.chance, next) { "the hosts cannot reach each other any more" }
    }

    /// One that knows all the words of the question.
    private func strangers(_ visit: Visit) {
        guard budget.allows(.stranger) else { return }
        for side in Side.allCases where hosts[side].isUp {
            guard case .incoming(let epoch, _, let migration)? = hosts[side].ledger.ownership else {
                continue
            }
            let next = with {
                $0.budget.spend(.stranger)
                $0.inquiries.append(
                    Inquiry(
                        body: .question(
                            OwnershipQuestion(vm: Cast.vm, epoch: epoch, migration: migration)),
                        to: side, isFromStranger: true, isAwaited: false))
            }
            visit(.chance, next) { "a stranger asks \(side.label) about epoch \(epoch)" }
        }
    }
}
