// Agents that end and start again, hosts that lose their power, and what a ferry-vmm does by itself meanwhile.

import Model
import Ownership
import VMControl

extension World {
    /// The agent is gone, and all that it knew; with each ledger that its successor may find.
    func crashes(_ side: Side, _ fault: Fault, _ visit: Visit) {
        guard budget.allows(fault) else { return }
        for ledger in hosts[side].ledger.afterCrash {
            let next = with {
                $0.budget.spend(fault)
                $0.endAgent(of: side)
                if fault == .hostOff { $0.turnOff(side) }
                $0.hosts[side].ledger = ledger
            }
            let isSame = ledger.ownership == hosts[side].ledger.ownership
            visit(.chance, next) {
                let what =
                    fault == .hostOff
                    ? "\(side.label) loses its power" : "\(side.label)'s agent crashes"
                return isSame
                    ? what
                    : "\(what); its ledger will say \(ledger.ownership.map { LedgerRecord(vm: Cast.vm, $0).words } ?? "nothing")"
            }
        }
    }

    private mutating func endAgent(of side: Side) {
        for out in hosts[side].outgoing { leave(out.connection, side) }
        for session in hosts[side].sessions { leave(session.connection, side) }
        for index in inquiries.indices.reversed() {
            let inquiry = inquiries[index]
            if inquiry.to == side {
                if case .replied = inquiry.stage { continue }
                inquiries.remove(at: index)
            } else if inquiry.isAwaited, !inquiry.isFromStranger {
                inquiries[index].isAwaited = false
                if case .replied = inquiry.stage { inquiries.remove(at: index) }
            }
        }
        hosts[side].agent = .down
        hosts[side].outgoing = []
        hosts[side].sessions = []
        hosts[side].undecided = nil
        hosts[side].discardsUndecided = false
        hosts[side].errand = .idle
        hosts[side].resumesByTakeover = false
        if hosts[side].process != nil { hosts[side].process?.hasLostAgent = true }
    }

    private mutating func turnOff(_ side: Side) {
        hosts[side].isOn = false
        if hosts[side].process != nil { hosts[side].hasLostProcess = true }
        hosts[side].process = nil
    }

    /// What the ferry-vmm does when its agent's connections have ended.
    func processStep(_ side: Side, _ rules: Rules, _ visit: Visit) {
        guard let process = hosts[side].process, process.hasLostAgent else { return }
        var next = self
        next.hosts[side].process?.hasLostAgent = false
        if process.lifecycle.state == .incoming {
            next.hosts[side].process = nil
            return visit(.fair, next) { "\(side.label)'s ferry-vmm ends with its connection" }
        }
        let resumes = next.hosts[side].process?.lifecycle.lost(Outgoing.control) ?? false
        if resumes || rules.has(.resumesAfterSeal) && process.isReady {
            next.hosts[side].process?.lifecycle.resumed()
        }
        visit(.fair, next) {
            resumes
                ? "\(side.label)'s ferry-vmm has lost its agent and lets the guest run"
                : "\(side.label)'s ferry-vmm has lost its agent"
        }
    }

    // MARK: Starting

    func startStep(_ side: Side, _ rules: Rules, _ visit: Visit) {
        let host = hosts[side]
        switch host.agent {
        case .up: return
        case .down:
            guard host.isOn else { return }
            let adoption = planted(
                AdoptionDecision(
                    vm: Cast.vm, ownership: host.ledger.ownership, discovered: host.remains), host,
                rules)
            let next = with {
                $0.hosts[side].agent = .starting(
                    (adoption.record.map { [.write($0)] } ?? []) + [.adopt(adoption.step)])
            }
            visit(.fair, next) {
                "\(side.label)'s agent starts; its ledger says \(host.ledger.ownership.map { LedgerRecord(vm: Cast.vm, $0).words } ?? "nothing")"
            }
        case .starting(let steps):
            switch steps.first {
            case .write(let record)?:
                let rest = Array(steps.dropFirst())
                write(record, on: side, rules, visit) { world, _ in
                    world.hosts[side].agent = .starting(rest)
                }
            case .adopt(let step)?: adopt(step, side, visit)
            case nil: preconditionFailure("an agent that starts ends with an adoption")
            }
        }
    }

    private func adopt(_ step: AdoptionDecision.Step, _ side: Side, _ visit: Visit) {
        let next = with {
            $0.hosts[side].agent = .up
            switch step {
            case .keep, .keepAsLost: $0.hosts[side].place = .present
            case .keepAndResume:
                $0.hosts[side].place = .present
                $0.hosts[side].process?.lifecycle.resumed()
            case .hold, .holdAndResolve:
                $0.hosts[side].place = .present
                $0.hosts[side].hold()
            case .endAndForget:
                $0.hosts[side].endProcess()
                $0.hosts[side].place = .absent
            }
        }
        visit(.fair, next) { "\(side.label)'s agent  \(step.words)" }
    }
}
