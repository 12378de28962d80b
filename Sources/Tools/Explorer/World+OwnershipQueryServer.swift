// Ownership queries at the host that is asked, and what the asking host waits for. As the product's server of such
// queries: it looks at the ledger, writes if it must, and looks again, because other threads may write in between.

import MigrationProtocol
import Model
import Ownership
import VMControl

extension World {
    func addQueryServerSteps(query index: Int, to steps: Steps) {
        let query = queries[index]
        guard hosts[query.to].isUp else { return }
        switch query.stage {
        case .sent: addQueryLookup(of: query, at: index, to: steps)
        case .stopping(let record): stopGuest(for: query, at: index, record: record, to: steps)
        case .writing(let record):
            addLedgerWrite(of: record, on: query.to, mayContradict: true, to: steps) {
                world, isWritten in
                let isRuledOut =
                    !isWritten && world.hosts[query.to].ledger.checkRecord(record) != .allowed
                world.queries[index].stage =
                    isWritten || isRuledOut ? .sent : .replied(.refused)
                if !isWritten, !isRuledOut { world.removeUnawaitedQuery(at: index) }
            }
        case .replied: break
        }
    }

    private func addQueryLookup(of query: QueryInTransit, at index: Int, to steps: Steps) {
        let ownership = hosts[query.to].ledger.ownership
        switch query.body {
        case .question(let question):
            let asker =
                steps.rules.hasPlantedBug(.answersStrangers) ? query.to.other.name : query.asker
            switch question.responseStep(for: ownership, from: asker) {
            case .answer(let answer):
                sendQueryReply(.answer(answer), to: query, at: index, addingTo: steps)
            case .refuse: sendQueryReply(.refused, to: query, at: index, addingTo: steps)
            case .write where steps.rules.hasPlantedBug(.unwrittenAnswer):
                sendQueryReply(
                    .answer(.neverRan(question.epoch)), to: query, at: index, addingTo: steps)
            case .write(let record):
                let next = makeSuccessor { $0.queries[index].stage = .writing(record) }
                steps.addSuccessor(next) { "\(query.to.label)  looks up epoch \(question.epoch)" }
            }
        case .notice(let notice):
            switch notice.responseStep(for: ownership, from: query.asker) {
            case .answer(let answer):
                sendQueryReply(.answer(answer), to: query, at: index, addingTo: steps)
            case .refuse: sendQueryReply(.refused, to: query, at: index, addingTo: steps)
            case .stopThenWrite(let record):
                obeyNotice(notice, of: query, at: index, record: record, to: steps)
            }
        }
    }

    /// While the VM is being migrated the host is busy, and the notice comes again. A suspended session ends first: it
    /// writes `neverRan`, and the next look finds that.
    private func obeyNotice(
        _ notice: TakeoverNotice, of query: QueryInTransit, at index: Int, record: LedgerRecord,
        to steps: Steps
    ) {
        let host = hosts[query.to]
        if let suspended = host.sessions.firstIndex(where: \.isSuspended) {
            let place = SessionPlace(side: query.to, index: suspended)
            let next = makeSuccessor {
                $0.receiveSessionEvent(.failed(FixedValues.refusal), at: place, under: steps.rules)
            }
            return steps.addSuccessor(next) {
                "\(query.to.label)  ends what it kept, because epoch \(notice.epoch) is another host's"
            }
        }
        if host.place == .arriving && host.undecided == nil || !host.outgoing.isEmpty {
            return sendQueryReply(.refused, to: query, at: index, addingTo: steps)
        }
        let next = makeSuccessor { $0.queries[index].stage = .stopping(record) }
        steps.addSuccessor(next) {
            "\(query.to.label)  reads that epoch \(notice.epoch) is another host's"
        }
    }

    private func sendQueryReply(
        _ reply: QueryInTransit.Reply, to query: QueryInTransit, at index: Int,
        addingTo steps: Steps
    ) {
        let next = makeSuccessor {
            if case .answer(.neverRan) = reply, $0.hosts[query.to].undecided != nil {
                $0.hosts[query.to].discardsUndecided = true
            }
            $0.queries[index].stage = .replied(reply)
            $0.removeUnawaitedQuery(at: index)
        }
        steps.addSuccessor(next) {
            "\(query.to.label) ─▶ \(query.asker)  \(reply.text)\(query.isAwaited ? "" : " (not awaited)")"
        }
    }

    private mutating func removeUnawaitedQuery(at index: Int) {
        if !queries[index].isAwaited { queries.remove(at: index) }
    }

    /// The guest stands still before the ledger says so.
    private func stopGuest(
        for query: QueryInTransit, at index: Int, record: LedgerRecord, to steps: Steps
    ) {
        let next = makeSuccessor {
            if !steps.rules.hasPlantedBug(.overruledRunsOn) { $0.hosts[query.to].holdGuest() }
            // The notice decides about a guest that was undecided.
            if $0.hosts[query.to].undecided != nil { $0.hosts[query.to].discardUndecidedGuest() }
            $0.queries[index].stage = .writing(record)
        }
        steps.addSuccessor(next) { "\(query.to.label)  stops the guest permanently" }
    }

    /// The guest that was undecided is decided now.
    func addUndecidedDiscard(on side: Side, to steps: Steps) {
        guard hosts[side].isUp, hosts[side].discardsUndecided else { return }
        let next = makeSuccessor { $0.hosts[side].discardUndecidedGuest() }
        steps.addSuccessor(next) { "\(side.label)  discards the undecided guest" }
    }

    /// What the asking host gets for its query: a reply, or none.
    func addReplySteps(
        on side: Side, to steps: Steps,
        then: (_ world: inout World, _ reply: QueryInTransit.Reply?, _ query: OwnershipQuery?) ->
            Void
    ) {
        guard let index = awaitedQuery(of: side) else {
            return steps.addSuccessor(makeSuccessor { then(&$0, nil, nil) }) {
                "\(side.label)  gets no answer"
            }
        }
        let query = queries[index]
        if case .replied(let reply) = query.stage {
            let next = makeSuccessor {
                $0.queries.remove(at: index)
                then(&$0, reply, query.body)
            }
            steps.addSuccessor(next) { "\(side.label)  reads \(reply.text)" }
        }
        guard budget.allowsFault(.loss) || isPartitioned else { return }
        let next = makeSuccessor {
            if !$0.isPartitioned { $0.budget.consumeFault(.loss) }
            $0.queries[index].isAwaited = false
            if case .replied = $0.queries[index].stage { $0.queries.remove(at: index) }
            then(&$0, nil, query.body)
        }
        steps.addSuccessor(next, as: isPartitioned ? .fair : .chance) {
            "\(side.label)  stops waiting for the answer"
        }
    }
}

extension HostState {
    fileprivate mutating func discardUndecidedGuest() {
        endProcess()
        place = .absent
        undecided = nil
        discardsUndecided = false
    }

    /// Paused and sealed: no lost connection lets it run.
    mutating func holdGuest() {
        let holder = ConnectionID(2)
        guard let state = process?.lifecycle.state, state == .running || state == .paused else {
            return
        }
        process?.lifecycle.markPaused(for: holder)
        _ = process?.lifecycle.sealHandover(by: holder)
    }
}
