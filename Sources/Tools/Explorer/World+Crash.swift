// Agents that end and start again, hosts that lose their power, and what a ferry-vmm does by itself meanwhile.

import MigrationProtocol
import Model
import Ownership
import VMControl

extension World {
    /// The agent ends with all that it knew, once for each ledger that its successor may find.
    func addCrashes(on side: Side, causedBy fault: Fault, to steps: Steps) {
        guard budget.allowsFault(fault) else { return }
        for ledger in hosts[side].ledger.afterCrash {
            let next = makeSuccessor {
                $0.budget.consumeFault(fault)
                $0.terminateAgent(on: side)
                if fault == .hostOff { $0.powerOffHost(at: side) }
                $0.hosts[side].ledger = ledger
            }
            let isSame = ledger.ownership == hosts[side].ledger.ownership
            steps.addSuccessor(next, as: .chance) {
                let what =
                    fault == .hostOff
                    ? "\(side.label) loses its power" : "\(side.label)'s agent crashes"
                return isSame ? what : "\(what); its ledger will say \(ledger.text)"
            }
        }
    }

    private mutating func terminateAgent(on side: Side) {
        for out in hosts[side].outgoing { leaveConnection(numbered: out.connection, on: side) }
        for session in hosts[side].sessions {
            leaveConnection(numbered: session.connection, on: side)
        }
        for index in queries.indices.reversed() {
            let query = queries[index]
            if query.to == side {
                if case .replied = query.stage { continue }
                queries.remove(at: index)
            } else if query.isAwaited, !query.isFromStranger {
                queries[index].isAwaited = false
                if case .replied = query.stage { queries.remove(at: index) }
            }
        }
        hosts[side].agentEnded()
    }

    private mutating func powerOffHost(at side: Side) {
        hosts[side].isOn = false
        if hosts[side].process != nil { hosts[side].hasLostProcess = true }
        hosts[side].process = nil
    }

    /// What the ferry-vmm does when its agent's connections have ended.
    func addProcessSteps(on side: Side, to steps: Steps) {
        guard let process = hosts[side].process, process.hasLostAgent else { return }
        var next = self
        next.hosts[side].process?.hasLostAgent = false
        if process.lifecycle.state == .incoming {
            next.hosts[side].process = nil
            return steps.addSuccessor(next) { "\(side.label)'s ferry-vmm ends with its connection" }
        }
        let resumes =
            next.hosts[side].process?.lifecycle.endHandover(ownedBy: OutgoingMigration.control)
            ?? false
        if resumes || steps.rules.hasPlantedBug(.resumesAfterSeal) && process.isReady {
            next.hosts[side].process?.lifecycle.markRunning()
        }
        steps.addSuccessor(next) {
            resumes
                ? "\(side.label)'s ferry-vmm has lost its agent and resumes the guest"
                : "\(side.label)'s ferry-vmm has lost its agent"
        }
    }

    // MARK: Start

    func addStartSteps(on side: Side, to steps: Steps) {
        let host = hosts[side]
        switch host.agent {
        case .up: return
        case .down:
            guard host.isOn else { return }
            let adoption = AdoptionDecision(
                vm: FixedValues.vm, ownership: host.ledger.ownership, discovered: host.remains)
            let (record, step) = steps.rules.bug.alteredAdoption(from: adoption, on: host)
            let next = makeSuccessor {
                $0.hosts[side].agent = .starting(
                    (record.map { [.write($0)] } ?? []) + [.adopt(step)])
            }
            steps.addSuccessor(next) {
                "\(side.label)'s agent starts; its ledger says \(host.ledger.text)"
            }
        case .starting(let actions):
            switch actions.first {
            case .write(let record)?:
                let rest = Array(actions.dropFirst())
                addLedgerWrite(of: record, on: side, to: steps) { world, _ in
                    world.hosts[side].agent = .starting(rest)
                }
            case .adopt(let step)?: addAdoption(by: step, on: side, to: steps)
            case nil: preconditionFailure("an agent that starts ends with an adoption")
            }
        }
    }

    private func addAdoption(by step: AdoptionDecision.Step, on side: Side, to steps: Steps) {
        let next = makeSuccessor {
            $0.hosts[side].agent = .up
            switch step {
            case .keep, .keepAsLost: $0.hosts[side].place = .present
            case .keepAndResume:
                $0.hosts[side].place = .present
                $0.hosts[side].process?.lifecycle.markRunning()
            case .hold, .holdAndResolve:
                $0.hosts[side].place = .present
                $0.hosts[side].holdGuest()
            case .endAndForget:
                $0.hosts[side].endProcess()
                $0.hosts[side].place = .absent
            }
        }
        steps.addSuccessor(next) { "\(side.label)'s agent  \(step.text)" }
    }
}

extension HostState {
    fileprivate mutating func agentEnded() {
        agent = .down
        outgoing = []
        sessions = []
        undecided = nil
        discardsUndecided = false
        resolution = .idle
        resumesAfterTakeover = false
        if process != nil { process?.hasLostAgent = true }
    }
}
