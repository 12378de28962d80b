// What the agent does about a handover whose outcome its ledger does not have: it asks the other host until it knows, and
// after a forced takeover it notifies the other host until that answers. What to ask and what an answer means is the
// product's own `UnresolvedHandover`.

import MigrationProtocol
import Model
import Ownership
import VMControl

extension World {
    func addResolutionSteps(on side: Side, to steps: Steps) {
        addUndecidedDiscard(on: side, to: steps)
        let host = hosts[side]
        guard host.isUp, host.outgoing.isEmpty else { return }
        addResumeAfterTakeover(on: side, to: steps)
        switch host.resolution {
        case .idle: beginResolution(on: side, to: steps)
        case .asking:
            addReplySteps(on: side, to: steps) { world, reply, query in
                world.hosts[side].resolution = world.resolution(
                    after: reply, to: query, on: side)
            }
        case .writing(let record):
            // The ledger may have changed since the query: then it may rule the record out, and that is right.
            addLedgerWrite(of: record, on: side, mayContradict: true, to: steps) {
                world, isWritten in
                world.hosts[side].resolution = isWritten ? .acting(Ownership(record)) : .idle
            }
        case .acting(let ownership): completeResolution(for: ownership, on: side, to: steps)
        }
    }

    private func beginResolution(on side: Side, to steps: Steps) {
        let ownership = hosts[side].ledger.ownership
        guard let handover = UnresolvedHandover(of: FixedValues.vm, ownership: ownership) else {
            return
        }
        if case .notice(let notice) = handover.query, steps.rules.hasPlantedBug(.forgottenNotice) {
            let next = makeSuccessor {
                $0.hosts[side].resolution = $0.resolution(
                    after: .answer(.superseded(notice.epoch)), to: handover.query, on: side)
            }
            return steps.addSuccessor(next) { "\(side.label)  assumes that the takeover is known" }
        }
        var next = self
        guard next.sendOwnershipQuery(handover.query, from: side) else { return }
        next.hosts[side].resolution = .asking
        steps.addSuccessor(next) { "\(side.label) ─▶ \(side.other.label)  \(handover.query.text)" }
    }

    private func resolution(
        after reply: QueryInTransit.Reply?, to query: OwnershipQuery?, on side: Side
    ) -> Resolution {
        guard case .answer(let answer)? = reply, let query,
            let record = UnresolvedHandover(query, with: side.other.name).resolvingRecord(
                after: answer)
        else { return .idle }
        return .writing(record)
    }

    private func completeResolution(for ownership: Ownership, on side: Side, to steps: Steps) {
        let next = makeSuccessor {
            $0.hosts[side].resolution = .idle
            switch ownership {
            case .handedOver:
                $0.hosts[side].endProcess()
                $0.hosts[side].place = .absent
            case .owned:
                guard $0.hosts[side].process?.lifecycle.state == .paused else { return }
                $0.hosts[side].process?.lifecycle.markRunning()
            default: break
            }
        }
        steps.addSuccessor(next) {
            if case .handedOver = ownership {
                "\(side.label)  ends what is left of the guest"
            } else {
                "\(side.label)  resumes the guest, at epoch \(ownership.epoch)"
            }
        }
    }

    private func addResumeAfterTakeover(on side: Side, to steps: Steps) {
        guard hosts[side].resumesAfterTakeover else { return }
        let next = makeSuccessor {
            $0.hosts[side].resumesAfterTakeover = false
            if $0.hosts[side].process?.lifecycle.state == .paused {
                $0.hosts[side].process?.lifecycle.markRunning()
            }
        }
        steps.addSuccessor(next) { "\(side.label)  resumes the guest after the forced takeover" }
    }

    /// This host takes the VM back without an answer of the other host.
    func addTakeover(writing record: LedgerRecord, on side: Side, to steps: Steps) {
        addLedgerWrite(of: record, on: side, mayContradict: true, to: steps) { world, isWritten in
            if isWritten { world.hosts[side].resumesAfterTakeover = true }
        }
    }
}
