// Answers a source that asks whether its VM was taken. The ledger speaks, nobody else.

import MigrationProtocol
import Model
import PeerLink

struct AnswerDesk {
    let host: any MigrationHost
    let sessions: SessionTable

    func serve(_ connection: any Link) throws(LinkError) {
        let message: PeerMessage
        do { message = try connection.receiveMessage() } catch {
            return try connection.send(.refused(error.words))
        }
        guard case .question(let question) = message else {
            return try connection.send(
                .refused(
                    MigrationRefusal(
                        .protocolViolation, "\(message.name) where a question was due")))
        }
        let answer = answer(question, from: connection.peer.name)
        try connection.send(answer)
        // Ending a guest takes time, and the source's stands still meanwhile: so it comes after the answer.
        if case .answer(.neverRan) = answer { discardUndecided(question) }
    }

    /// Looks, writes if it must, and looks again: another thread may have written in between.
    private func answer(
        _ question: OwnershipQuestion, from asker: HostName
    ) -> PeerMessage {
        for _ in 0..<Limits.answerAttemptsMax {
            switch question.step(host.ledger.ownership(of: question.vm), from: asker) {
            case .answer(let answer): return .answer(answer)
            case .refuse(let refusal): return .refused(refusal)
            case .write(let record):
                do { try host.ledger.append(record) } catch {
                    if case .contradicts = error { continue }
                    return .refused(MigrationRefusal(.ledgerFailure, "\(error)"))
                }
            }
        }
        return .refused(MigrationRefusal(.busy, "the ledger changes under the question"))
    }

    private func discardUndecided(_ question: OwnershipQuestion) {
        guard let kept = sessions.takeUndecided(question) else { return }
        kept.guest.discard()
        host.finished(kept.offer, from: kept.source, outcome: .discarded(kept.refusal))
    }
}
