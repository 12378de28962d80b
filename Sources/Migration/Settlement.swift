// What a source does about a VM that it released and heard nothing more of: it asks the destination.

import Host
package import MigrationProtocol
package import Model
package import PeerLink

/// How an unsettled release was settled. The ledger has it when this is returned.
package enum SettlementOutcome: Hashable, Sendable {
    /// The destination owns the VM at this epoch: end what is left of it here.
    case handedOver(Epoch)
    /// The destination never ran it and never will: this host owns the VM again; resume it.
    case takenBack(Epoch)
}

/// Why it is still unsettled: nobody may run the VM.
package enum SettlementError: Error, Hashable, Sendable {
    /// The ledger has no `released` for this VM.
    case nothingToSettle(Ownership?)
    /// No answer is not a no.
    case noAnswer(LinkError)
    case refused(MigrationRefusal)
    case ledger(LedgerError)
}

/// Asks the destination of a released VM. Blocks; call it again, with pauses, until it does not throw.
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
        guard case .released(let epoch, let host, let migration) = current,
            host == destination.name
        else { throw .nothingToSettle(current) }
        let question = OwnershipQuestion(vm: vm, epoch: epoch, migration: migration)
        let answer: OwnershipAnswer
        do {
            let dialer = PeerDialer(
                destination: destination, runtime: runtime, timing: timing,
                stop: try runtime.makeFlag())
            answer = try Questioner(dialer: dialer).ask(question)
        } catch let error as QuestionError {
            switch error {
            case .noAnswer(let error): throw .noAnswer(error)
            case .refused(let refusal): throw .refused(refusal)
            }
        } catch let error as SystemError {
            throw .noAnswer(.system(error))
        } catch {
            fatalError("only typed errors are thrown above: \(error)")
        }
        return try settle(question, answer, destination.name, ledger)
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
        throw .refused(
            MigrationRefusal(
                .protocolViolation, "an answer about another epoch", details: ["\(answer)"]))
    }
}
