// What a source does about a VM that it released and heard nothing more of: it asks the destination. After a ruling
// it tells it instead.

import Host
package import MigrationProtocol
package import Model
package import PeerLink

/// How it was settled. The ledger has it when this is returned.
package enum SettlementOutcome: Hashable, Sendable {
    /// The destination owns the VM at this epoch: end what is left of it here.
    case handedOver(Epoch)
    /// The destination never ran it and never will: this host owns the VM again; resume it.
    case takenBack(Epoch)
    /// The destination knows that it was overruled: this host owns the VM without doubt.
    case rulingHeard(Epoch)
}

/// Why it is still unsettled.
package enum SettlementError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The ledger has nothing to settle with this host about this VM.
    case nothingToSettle(Ownership?)
    /// No answer is not a no.
    case noAnswer(LinkError)
    case refused(MigrationRefusal)
    case ledger(LedgerError)

    package var description: String {
        switch self {
        case .nothingToSettle: "there is nothing to settle"
        case .noAnswer(let error): "no answer: \(error)"
        case .refused(let refusal): "an answer that settles nothing: \(refusal)"
        case .ledger(let error): "\(error)"
        }
    }
}

/// Talks to the other host of a VM that is `released` or `ruled`. Blocks; call it again, with pauses, until it does
/// not throw.
package enum Settlement {
    package static func settle(
        vm: VMID, with destination: PeerAddress, keys: PeerKeys, ledger: any OwnershipLedger,
        timing: PeerTiming = PeerTiming()
    ) throws(SettlementError) -> SettlementOutcome {
        try settle(
            vm: vm, with: destination, ledger: ledger, timing: timing,
            runtime: SystemRuntime(keys: keys))
    }

    package static func settle(
        vm: VMID, with destination: PeerAddress, ledger: any OwnershipLedger, timing: PeerTiming,
        runtime: any MigrationRuntime
    ) throws(SettlementError) -> SettlementOutcome {
        let current = ledger.ownership(of: vm)
        func answer(
            _ talk: (Questioner) throws(QuestionError) -> OwnershipAnswer
        ) throws(SettlementError) -> OwnershipAnswer {
            try self.answer(of: destination, timing, runtime, talk)
        }
        switch current {
        case .released(let epoch, destination.name, let migration):
            let question = OwnershipQuestion(vm: vm, epoch: epoch, migration: migration)
            let answer = try answer { (questioner) throws(QuestionError) in
                try questioner.ask(question)
            }
            return try settle(question, answer, destination.name, ledger)
        case .ruled(let epoch, destination.name, let migration):
            let notice = Overruling(vm: vm, epoch: epoch, migration: migration)
            let answer = try answer { (questioner) throws(QuestionError) in
                try questioner.tell(notice)
            }
            return try settle(notice, answer, ledger)
        default: throw .nothingToSettle(current)
        }
    }

    private static func answer(
        of destination: PeerAddress, _ timing: PeerTiming, _ runtime: any MigrationRuntime,
        _ talk: (Questioner) throws(QuestionError) -> OwnershipAnswer
    ) throws(SettlementError) -> OwnershipAnswer {
        do {
            let dialer = PeerDialer(
                destination: destination, runtime: runtime, timing: timing,
                stop: try runtime.makeFlag())
            return try talk(Questioner(dialer: dialer))
        } catch let error as QuestionError {
            switch error {
            case .noAnswer(let error): throw .noAnswer(error)
            case .refused(let refusal): throw .refused(refusal)
            }
        } catch let error as SystemError {
            throw .noAnswer(.system(error))
        } catch {
            unexpectedError(error)
        }
    }

    private static func settle(
        _ notice: Overruling, _ answer: OwnershipAnswer, _ ledger: any OwnershipLedger
    ) throws(SettlementError) -> SettlementOutcome {
        guard case .overruled(let epoch) = answer, epoch >= notice.epoch else {
            throw otherEpoch(answer)
        }
        do {
            try ledger.append(.owned(vm: notice.vm, epoch: notice.epoch, migration: nil))
        } catch { throw .ledger(error) }
        return .rulingHeard(notice.epoch)
    }

    private static func otherEpoch(_ answer: OwnershipAnswer) -> SettlementError {
        .refused(
            MigrationRefusal(
                .protocolViolation, "an answer about another epoch", details: ["\(answer)"]))
    }

    private static func settle(
        _ question: OwnershipQuestion, _ answer: OwnershipAnswer, _ destination: HostName,
        _ ledger: any OwnershipLedger
    ) throws(SettlementError) -> SettlementOutcome {
        // The machine knows what an answer means; here it starts after GO.
        var machine = SourceMachine(
            asking: question, destination: destination, questionsMax: 1)
        for action in machine.handle(.answer(answer)) {
            guard case .write(let record) = action else { continue }
            do { try ledger.append(record) } catch { throw .ledger(error) }
            switch record {
            case .handedOver(_, let epoch, _, _): return .handedOver(epoch)
            case .owned(_, let epoch, _): return .takenBack(epoch)
            default: break
            }
        }
        throw otherEpoch(answer)
    }
}
