// Answers those who ask whether a VM was taken, and takes notice of rulings. The ledger speaks, nobody else.

import MigrationProtocol
import Model
import Ownership
import PeerLink

struct AnswerDesk {
    let host: any MigrationHost
    let sessions: SessionTable

    func serve(_ connection: any Link) throws(LinkError) {
        let message: PeerMessage
        do { message = try connection.receiveMessage() } catch {
            return try connection.send(.refused(error.words))
        }
        switch message {
        case .question(let question):
            let answer = answer(question, from: connection.peer.name)
            try connection.send(answer)
            // Ending a guest takes time, and the source's stands still meanwhile: so it comes after the answer.
            if case .answer(.neverRan) = answer {
                discardUndecided(question.vm, question.migration)
                discardParked(
                    question.vm, question.migration, "the source was told that it never ran here")
            }
        case .takeoverNotice(let notice):
            try connection.send(answer(notice, from: connection.peer.name))
        default:
            try connection.send(
                .refused(
                    MigrationRefusal(
                        .protocolViolation, "\(message.name) where a question was due")))
        }
    }

    /// Looks, writes if it must, and looks again: another thread may have written in between.
    private func answer(
        _ question: OwnershipQuestion, from asker: HostName
    ) -> PeerMessage {
        for _ in 0..<Limits.answerAttemptsMax {
            switch question.step(ownership: host.ledger.ownership(of: question.vm), from: asker) {
            case .answer(let answer): return .answer(answer)
            case .refuse(let refusal): return .refused(MigrationRefusal(refusal))
            case .write(let record):
                do { try host.ledger.append(record) } catch {
                    if case .contradicts = error { continue }
                    return .refused(MigrationRefusal(.ledgerFailure, "\(error)"))
                }
            }
        }
        return .refused(MigrationRefusal(.busy, "the ledger changes under the question"))
    }

    /// The answer comes only when the VM stands still here and the ledger says so.
    private func answer(_ notice: TakeoverNotice, from ruler: HostName) -> PeerMessage {
        var refusal = MigrationRefusal(.busy, "the ledger changes under the notice")
        for _ in 0..<Limits.answerAttemptsMax {
            switch notice.step(ownership: host.ledger.ownership(of: notice.vm), from: ruler) {
            case .answer(let answer): return .answer(answer)
            case .refuse(let refusal): return .refused(MigrationRefusal(refusal))
            case .stopThenWrite(let record):
                // A guest that waits for a word about itself has got it.
                discardUndecided(notice.vm, notice.migration)
                discardParked(notice.vm, notice.migration, "a ruling gave the VM to \(ruler)")
                do { try host.supersede(record) } catch { refusal = error }
            }
        }
        return .refused(refusal)
    }

    private func discardUndecided(_ vm: VMID, _ migration: MigrationID) {
        guard let kept = sessions.takeUndecided(vm, migration) else { return }
        kept.guest.discard()
        host.finished(kept.offer, from: kept.source, outcome: .discarded(kept.refusal))
    }

    private func discardParked(_ vm: VMID, _ migration: MigrationID, _ why: String) {
        guard let parked = sessions.takeParked(vm, migration) else { return }
        let refusal = MigrationRefusal(.cancelled, why)
        IncomingDriver(session: parked, control: nil, sessions: sessions)
            .conclude(.failed(refusal))
    }
}
