// Questions and notices at the host that is asked, and what the asker waits for. As `AnswerDesk`: looks, writes if it
// must, and looks again, because anybody may write in between.

import MigrationProtocol
import Model
import Ownership
import VMControl

extension World {
    func deskStep(_ index: Int, _ rules: Rules, _ visit: Visit) {
        let inquiry = inquiries[index]
        guard hosts[inquiry.to].isUp else { return }
        switch inquiry.stage {
        case .sent: look(inquiry, index, rules, visit)
        case .stopping(let record): stop(record, inquiry, index, rules, visit)
        case .writing(let record):
            write(record, on: inquiry.to, isExpected: true, rules, visit) { world, isWritten in
                let isRuledOut =
                    !isWritten && world.hosts[inquiry.to].ledger.check(record) != .allowed
                world.inquiries[index].stage =
                    isWritten || isRuledOut ? .sent : .replied(.refused)
                if !isWritten, !isRuledOut { world.forgetUnawaited(index) }
            }
        case .replied: break
        }
    }

    private func look(_ inquiry: Inquiry, _ index: Int, _ rules: Rules, _ visit: Visit) {
        let ownership = hosts[inquiry.to].ledger.ownership
        let label = inquiry.to.label
        switch inquiry.body {
        case .question(let question):
            let asker = rules.has(.answersStrangers) ? inquiry.to.other.name : inquiry.asker
            switch question.step(ownership: ownership, from: asker) {
            case .answer(let answer):
                reply(.answer(answer), inquiry, index, visit)
            case .refuse: reply(.refused, inquiry, index, visit)
            case .write where rules.has(.unwrittenAnswer):
                reply(.answer(.neverRan(question.epoch)), inquiry, index, visit)
            case .write(let record):
                let next = with { $0.inquiries[index].stage = .writing(record) }
                visit(.fair, next) { "\(label)  looks up epoch \(question.epoch)" }
            }
        case .notice(let notice):
            // While the VM arrives its session decides; the notice comes again.
            let host = hosts[inquiry.to]
            if host.place == .arriving && host.undecided == nil || !host.outgoing.isEmpty {
                return reply(.refused, inquiry, index, visit)
            }
            switch notice.step(ownership: ownership, from: inquiry.asker) {
            case .answer(let answer): reply(.answer(answer), inquiry, index, visit)
            case .refuse: reply(.refused, inquiry, index, visit)
            case .stopThenWrite(let record):
                let next = with { $0.inquiries[index].stage = .stopping(record) }
                visit(.fair, next) { "\(label)  hears that epoch \(notice.epoch) is another's" }
            }
        }
    }

    private func reply(
        _ reply: Inquiry.Reply, _ inquiry: Inquiry, _ index: Int, _ visit: Visit
    ) {
        let next = with {
            if case .answer(.neverRan) = reply, $0.hosts[inquiry.to].undecided != nil {
                $0.hosts[inquiry.to].discardsUndecided = true
            }
            $0.inquiries[index].stage = .replied(reply)
            $0.forgetUnawaited(index)
        }
        visit(.fair, next) {
            "\(inquiry.to.label) ─▶ \(inquiry.asker)  \(reply.words)\(inquiry.isAwaited ? "" : " (nobody waits)")"
        }
    }

    private mutating func forgetUnawaited(_ index: Int) {
        if !inquiries[index].isAwaited { inquiries.remove(at: index) }
    }

    /// What there is of the VM stands still before the ledger says so.
    private func stop(
        _ record: LedgerRecord, _ inquiry: Inquiry, _ index: Int, _ rules: Rules,
        _ visit: Visit
    ) {
        let next = with {
            if !rules.has(.supersededRunsOn) { $0.hosts[inquiry.to].hold() }
            // A guest that waits for a word about itself has got it.
            if $0.hosts[inquiry.to].undecided != nil { $0.hosts[inquiry.to].discardUndecided() }
            $0.inquiries[index].stage = .writing(record)
        }
        visit(.fair, next) { "\(inquiry.to.label)  stops the guest for good" }
    }

    /// The guest that was undecided is decided now.
    func discardStep(_ side: Side, _ visit: Visit) {
        guard hosts[side].isUp, hosts[side].discardsUndecided else { return }
        let next = with { $0.hosts[side].discardUndecided() }
        visit(.fair, next) { "\(side.label)  throws the undecided guest away" }
    }

    /// What the asker sees of its question: a reply, or that there will be none.
    func answers(
        _ side: Side, _ visit: Visit, _ then: (inout World, Inquiry.Reply?) -> Void
    ) {
        guard let index = awaitedInquiry(of: side) else {
            return visit(.fair, with { then(&$0, nil) }) { "\(side.label)  gets no answer" }
        }
        if case .replied(let reply) = inquiries[index].stage {
            let next = with {
                $0.inquiries.remove(at: index)
                then(&$0, reply)
            }
            visit(.fair, next) { "\(side.label)  reads \(reply.words)" }
        }
        guard budget.allows(.loss) || isPartitioned else { return }
        let next = with {
            if !$0.isPartitioned { $0.budget.spend(.loss) }
            $0.inquiries[index].isAwaited = false
            if case .replied = $0.inquiries[index].stage { $0.inquiries.remove(at: index) }
            then(&$0, nil)
        }
        visit(isPartitioned ? .fair : .chance, next) {
            "\(side.label)  waits for the answer no longer"
        }
    }
}

extension HostState {
    fileprivate mutating func discardUndecided() {
        endProcess()
        place = .absent
        undecided = nil
        discardsUndecided = false
    }

    /// Paused and sealed: no lost connection lets it run.
    mutating func hold() {
        let holder = ConnectionID(2)
        guard let state = process?.lifecycle.state, state == .running || state == .paused else {
            return
        }
        process?.lifecycle.paused(for: holder)
        _ = process?.lifecycle.seal(by: holder)
    }
}
