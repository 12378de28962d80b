// Asks a peer's ledger about a VM, or tells it of a ruling, on a connection of its own.

import Host
import MigrationProtocol
import Ownership
import PeerLink

/// Why a question has no answer.
enum QuestionError: Error, Sendable {
    case noAnswer(LinkError)
    case refused(MigrationRefusal)
}

struct Questioner {
    let dialer: PeerDialer

    func ask(_ question: OwnershipQuestion) throws(QuestionError) -> OwnershipAnswer {
        try answer(to: .question(question))
    }

    func tell(_ notice: TakeoverNotice) throws(QuestionError) -> OwnershipAnswer {
        try answer(to: .takeoverNotice(notice))
    }

    private func answer(to message: PeerMessage) throws(QuestionError) -> OwnershipAnswer {
        do {
            let (connection, _) = try dialer.open(.question)
            defer { connection.close() }
            connection.silenceMax = dialer.timing.deadPeerInHandover
            try connection.send(message)
            let reply = try connection.receiveMessage()
            switch reply {
            case .answer(let answer): return answer
            case .refused(let refusal): throw QuestionError.refused(refusal)
            default: throw DialError.unexpected(reply.name)
            }
        } catch {
            throw Self.questionError(error)
        }
    }

    private static func questionError(_ error: any Error) -> QuestionError {
        switch error {
        case let error as QuestionError: error
        case DialError.refused(let refusal): .refused(refusal)
        case DialError.link(let error), MessageError.link(let error): .noAnswer(error)
        case let error as LinkError: .noAnswer(error)
        default: .noAnswer(.tls(detail: "an answer that cannot be read: \(error)"))
        }
    }
}
