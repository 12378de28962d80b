// Asks a peer's ledger about a VM, or sends it a notice of a forced takeover, on a separate connection.

import Host
import MigrationProtocol
import Ownership
import PeerLink

/// Why a query was not answered.
enum OwnershipQueryError: Error, Sendable {
    case noAnswer(LinkError)
    case refused(MigrationRefusal)
}

struct OwnershipQueryClient {
    let dialer: PeerDialer

    func askQuestion(_ question: OwnershipQuestion) throws(OwnershipQueryError) -> OwnershipAnswer {
        try requestAnswer(to: .question(question))
    }

    func sendNotice(_ notice: TakeoverNotice) throws(OwnershipQueryError) -> OwnershipAnswer {
        try requestAnswer(to: .takeoverNotice(notice))
    }

    private func requestAnswer(to message: PeerMessage) throws(OwnershipQueryError)
        -> OwnershipAnswer
    {
        do {
            let (connection, _) = try dialer.openConnection(for: .question)
            defer { connection.close() }
            connection.silenceMax = dialer.timing.deadPeerInHandover
            try connection.sendMessage(message)
            let reply = try connection.receiveMessage()
            switch reply {
            case .answer(let answer): return answer
            case .refused(let refusal): throw OwnershipQueryError.refused(refusal)
            default: throw DialError.unexpected(reply.name)
            }
        } catch {
            throw Self.queryError(from: error)
        }
    }

    private static func queryError(from error: any Error) -> OwnershipQueryError {
        switch error {
        case let error as OwnershipQueryError: error
        case DialError.refused(let refusal): .refused(refusal)
        case DialError.link(let error), MessageError.link(let error): .noAnswer(error)
        case let error as LinkError: .noAnswer(error)
        default: .noAnswer(.tls(detail: "the answer cannot be decoded: \(error)"))
        }
    }
}
