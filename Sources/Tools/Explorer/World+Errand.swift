// The agent's errands: a released VM is asked after until its fate is known (`Settlement`, `Settlements`), and after a
// forced takeover the other host is told until it knows.

import MigrationProtocol
import Model
import Ownership
import VMControl

extension World {
    func errandStep(_ side: Side, _ rules: Rules, _ visit: Visit) {
        discardStep(side, visit)
        let host = hosts[side]
        guard host.isUp, host.outgoing.isEmpty else { return }
        resumeByTakeover(side, visit)
        switch host.errand {
        case .idle: beginErrand(side, rules, visit)
        case .asking:
            answers(side, visit) { $0.hosts[side].errand = $0.meaning(of: $1, side, rules) }
        case .writing(let record): write(record, side, rules, visit)
        case .acting(let ownership): act(ownership, side, visit)
        }
    }

    private func beginErrand(_ side: Side, _ rules: Rules, _ visit: Visit) {
        let ledger = hosts[side].ledger.ownership
        let body: Inquiry.Body
        if case .released(let epoch, _, let migration) = ledger {
            body = .question(OwnershipQuestion(vm: Cast.vm, epoch: epoch, migration: migration))
        } else if let notice = ledger?.notice(vm: Cast.vm)?.notice {
            if rules.has(.forgottenNotice) {
                let next = with {
                    $0.hosts[side].errand = $0.meaning(
                        of: .answer(.superseded(notice.epoch)), side, rules)
                }
                return visit(.fair, next) { "\(side.label)  takes the takeover as known" }
            }
            body = .notice(notice)
        } else {
            return
        }
        var next = self
        guard next.ask(body, from: side) else { return }
        next.hosts[side].errand = .asking
        visit(.fair, next) { "\(side.label) ─▶ \(side.other.label)  \(body.words)" }
    }

    private func meaning(of reply: Inquiry.Reply?, _ side: Side, _ rules: Rules) -> Errand {
        guard case .answer(let answer)? = reply else { return .idle }
        switch (answer, hosts[side].ledger.ownership) {
        case (.superseded(let known), .takenOver(let epoch, let host, let migration)?):
            let ownership = Ownership.takenOver(epoch, against: host, migration: migration)
            guard known >= epoch, let record = ownership.takeoverConfirmed(vm: Cast.vm) else {
                return .idle
            }
            return .writing(record)
        case (_, .released(let epoch, let host, let migration)?):
            // The machine knows what an answer means; here it starts after GO.
            var machine = SourceMachine(
                asking: OwnershipQuestion(vm: Cast.vm, epoch: epoch, migration: migration),
                destination: host, questionsMax: 1)
            for case .write(let record) in machine.handle(.answer(answer)) {
                return .writing(record)
            }
            return .idle
        default: return .idle
        }
    }

    /// A forced takeover may come while this waits: then the record that was to be written is refused, as it must be.
    private func write(
        _ record: LedgerRecord, _ side: Side, _ rules: Rules, _ visit: Visit
    ) {
        write(record, on: side, isExpected: true, rules, visit) { world, isWritten in
            world.hosts[side].errand = isWritten ? .acting(Ownership(record)) : .idle
        }
    }

    private func act(_ ownership: Ownership, _ side: Side, _ visit: Visit) {
        let next = with {
            $0.hosts[side].errand = .idle
            switch ownership {
            case .handedOver:
                $0.hosts[side].endProcess()
                $0.hosts[side].place = .absent
            case .owned:
                guard $0.hosts[side].process?.lifecycle.state == .paused else { return }
                $0.hosts[side].process?.lifecycle.resumed()
            default: break
            }
        }
        visit(.fair, next) {
            if case .handedOver = ownership {
                "\(side.label)  ends what is left of the guest"
            } else {
                "\(side.label)  lets the guest run, at epoch \(ownership.epoch)"
            }
        }
    }

    private func resumeByTakeover(_ side: Side, _ visit: Visit) {
        guard hosts[side].resumesByTakeover else { return }
        let next = with {
            $0.hosts[side].resumesByTakeover = false
            if $0.hosts[side].process?.lifecycle.state == .paused {
                $0.hosts[side].process?.lifecycle.resumed()
            }
        }
        visit(.fair, next) { "\(side.label)  resumes the guest after the takeover" }
    }

    /// Somebody rules that this host has the VM again.
    func recordTakeover(
        _ record: LedgerRecord, _ side: Side, _ rules: Rules, _ visit: Visit
    ) {
        write(record, on: side, isExpected: true, rules, visit) { world, isWritten in
            if isWritten { world.hosts[side].resumesByTakeover = true }
        }
    }
}
