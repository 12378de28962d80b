// The resolution of a handover at the source: when a VM was released and the answer was lost, the source asks the
// destination. After a forced takeover it sends a notice instead.

import Host
package import MigrationProtocol
package import Model
package import Ownership
package import PeerLink

/// How the handover was resolved. The ledger records it before this is returned.
package enum HandoverResolutionOutcome: Hashable, Sendable {
    /// The destination owns the VM at this epoch: the source ends what is left of it here.
    case handedOver(Epoch)
    /// The destination never ran the VM and never will: this host owns the VM again and resumes it.
    case takenBack(Epoch)
    /// The destination knows that it is superseded: this host's ownership is no longer in doubt.
    case takeoverConfirmed(Epoch)
}

/// Why the handover is still unresolved.
package enum HandoverResolutionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The ledger has no unresolved handover of this VM with this host.
    case nothingToResolve(Ownership?)
    /// The other host gave no answer, which is not a refusal.
    case noAnswer(LinkError)
    case refused(MigrationRefusal)
    case ledger(LedgerError)

    package var description: String {
        switch self {
        case .nothingToResolve: "no handover is unresolved"
        case .noAnswer(let error): "no answer: \(error)"
        case .refused(let refusal): "the answer does not resolve the handover: \(refusal)"
        case .ledger(let error): "\(error)"
        }
    }
}

/// Talks to the other host of a VM that is `released` or `takenOver`. Blocks; the caller repeats the call, with pauses,
/// until it does not throw.
package enum HandoverResolution {
    package static func resolveHandover(
        of vm: VMID, with destination: PeerAddress, keys: PeerKeys, ledger: any OwnershipLedger,
        timing: PeerTiming = PeerTiming()
    ) throws(HandoverResolutionError) -> HandoverResolutionOutcome {
        try resolveHandover(
            of: vm, with: destination, ledger: ledger, timing: timing,
            runtime: SystemRuntime(keys: keys))
    }

    package static func resolveHandover(
        of vm: VMID, with destination: PeerAddress, ledger: any OwnershipLedger, timing: PeerTiming,
        runtime: any MigrationRuntime
    ) throws(HandoverResolutionError) -> HandoverResolutionOutcome {
        let current = ledger.ownership(of: vm)
        guard let handover = UnresolvedHandover(of: vm, ownership: current),
            handover.host == destination.name
        else { throw .nothingToResolve(current) }
        let answer = try requestAnswer(from: destination, timing: timing, runtime: runtime) {
            (questioner) throws(OwnershipQueryError) in
            switch handover.query {
            case .question(let question): try questioner.askQuestion(question)
            case .notice(let notice): try questioner.sendNotice(notice)
            }
        }
        guard let record = handover.resolvingRecord(after: answer) else {
            throw wrongEpochError(for: answer)
        }
        do { try ledger.appendRecord(record) } catch { throw .ledger(error) }
        return resolutionOutcome(of: record, after: handover.query)
    }

    private static func resolutionOutcome(
        of record: LedgerRecord, after query: OwnershipQuery
    ) -> HandoverResolutionOutcome {
        let epoch = Ownership(record).epoch
        if case .notice = query { return .takeoverConfirmed(epoch) }
        if case .handedOver = record { return .handedOver(epoch) }
        return .takenBack(epoch)
    }

    private static func requestAnswer(
        from destination: PeerAddress, timing: PeerTiming, runtime: any MigrationRuntime,
        query talk: (OwnershipQueryClient) throws(OwnershipQueryError) -> OwnershipAnswer
    ) throws(HandoverResolutionError) -> OwnershipAnswer {
        do {
            let dialer = PeerDialer(
                destination: destination, runtime: runtime, timing: timing,
                stop: try runtime.makeWakeFlag())
            return try talk(OwnershipQueryClient(dialer: dialer))
        } catch let error as OwnershipQueryError {
            switch error {
            case .noAnswer(let error): throw .noAnswer(error)
            case .refused(let refusal): throw .refused(refusal)
            }
        } catch let error as SystemError {
            throw .noAnswer(.system(error))
        } catch {
            trapOnUnexpectedError(error)
        }
    }

    private static func wrongEpochError(for answer: OwnershipAnswer) -> HandoverResolutionError {
        .refused(
            MigrationRefusal(
                .protocolViolation, text: "the answer is about another epoch",
                details: ["\(answer)"]))
    }
}
