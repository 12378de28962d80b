// What a source does about a VM that it released and heard nothing more of: it asks the destination. After a ruling
// it tells it instead.

import Host
package import MigrationProtocol
package import Model
package import Ownership
package import PeerLink

/// How it was settled. The ledger has it when this is returned.
package enum SettlementOutcome: Hashable, Sendable {
    /// The destination owns the VM at this epoch: end what is left of it here.
    case handedOver(Epoch)
    /// The destination never ran it and never will: this host owns the VM again; resume it.
    case takenBack(Epoch)
    /// The destination knows that it was overruled: this host owns the VM without doubt.
    case takeoverHeard(Epoch)
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
        guard let handover = UnresolvedHandover(of: vm, ownership: current),
            handover.host == destination.name
        else { throw .nothingToSettle(current) }
        let answer = try answer(of: destination, timing, runtime) {
            (questioner) throws(QuestionError) in
            switch handover.query {
            case .question(let question): try questioner.ask(question)
            case .notice(let notice): try questioner.tell(notice)
            }
        }
        guard let record = handover.record(after: answer) else { throw otherEpoch(answer) }
        do { try ledger.append(record) } catch { throw .ledger(error) }
        return outcome(of: record, after: handover.query)
    }

    private static func outcome(
        of record: LedgerRecord, after query: OwnershipQuery
    ) -> SettlementOutcome {
        let epoch = Ownership(record).epoch
        if case .notice = query { return .takeoverHeard(epoch) }
        if case .handedOver = record { return .handedOver(epoch) }
        return .takenBack(epoch)
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

    private static func otherEpoch(_ answer: OwnershipAnswer) -> SettlementError {
        .refused(
            MigrationRefusal(
                .protocolViolation, "an answer about another epoch", details: ["\(answer)"]))
    }
}
