// Answers ownership queries, and processes notices of forced takeovers. All answers come from the ledger.

import MigrationProtocol
import Model
import Ownership
import PeerLink

struct OwnershipQueryServer {
    let host: any MigrationHost
    let sessions: SessionTable

    func serveConnection(_ connection: any Link) throws(LinkError) {
        let message: PeerMessage
        do { message = try connection.receiveMessage() } catch {
            return try connection.sendMessage(.refused(error.refusal))
        }
        switch message {
        case .question(let question):
            let answer = answerQuestion(question, from: connection.peer.name)
            try connection.sendMessage(answer)
            // Ending a guest takes time, and the source's guest is paused meanwhile: so it is done after the answer.
            if case .answer(.neverRan) = answer {
                discardUndecidedGuest(of: question.vm, migration: question.migration)
                discardSuspendedSession(
                    of: question.vm, migration: question.migration,
                    reason: "the source received the answer that the VM never ran here")
            }
        case .takeoverNotice(let notice):
            try connection.sendMessage(answerNotice(notice, from: connection.peer.name))
        default:
            try connection.sendMessage(
                .refused(
                    MigrationRefusal(
                        .protocolViolation, text: "\(message.name) instead of an ownership query")))
        }
    }

    /// Reads the ledger, writes a record if necessary, and reads again: another thread may have written in between.
    private func answerQuestion(
        _ question: OwnershipQuestion, from asker: HostName
    ) -> PeerMessage {
        for _ in 0..<Limits.answerAttemptsMax {
            switch question.responseStep(for: host.ledger.ownership(of: question.vm), from: asker) {
            case .answer(let answer): return .answer(answer)
            case .refuse(let refusal): return .refused(MigrationRefusal(refusal))
            case .write(let record):
                do { try host.ledger.appendRecord(record) } catch {
                    if case .contradicts = error { continue }
                    return .refused(MigrationRefusal(.ledgerFailure, text: "\(error)"))
                }
            }
        }
        return .refused(MigrationRefusal(.busy, text: "the ledger changed during the query"))
    }

    /// The answer is sent only after the VM is stopped here and the ledger records it.
    private func answerNotice(_ notice: TakeoverNotice, from ruler: HostName) -> PeerMessage {
        var refusal = MigrationRefusal(.busy, text: "the ledger changed during the notice")
        for _ in 0..<Limits.answerAttemptsMax {
            switch notice.responseStep(for: host.ledger.ownership(of: notice.vm), from: ruler) {
            case .answer(let answer): return .answer(answer)
            case .refuse(let refusal): return .refused(MigrationRefusal(refusal))
            case .stopThenWrite(let record):
                // A guest whose ownership was undecided is decided now.
                discardUndecidedGuest(of: notice.vm, migration: notice.migration)
                discardSuspendedSession(
                    of: notice.vm, migration: notice.migration,
                    reason: "a forced takeover gave the VM to \(ruler)")
                do { try host.supersedeOwnership(with: record) } catch { refusal = error }
            }
        }
        return .refused(refusal)
    }

    private func discardUndecidedGuest(of vm: VMID, migration: MigrationID) {
        guard let kept = sessions.removeUndecidedGuest(of: vm, migration: migration) else { return }
        kept.guest.discardGuest()
        host.didFinishMigration(
            for: kept.offer, from: kept.source, outcome: .discarded(kept.refusal))
    }

    private func discardSuspendedSession(of vm: VMID, migration: MigrationID, reason why: String) {
        guard let parked = sessions.removeSuspendedSession(of: vm, migration: migration) else {
            return
        }
        let refusal = MigrationRefusal(.cancelled, text: why)
        IncomingDriver(session: parked, control: nil, sessions: sessions)
            .endSuspendedSession(with: .failed(refusal))
    }
}
