// Control messages over a peer connection.

import Host
import MigrationProtocol
import PeerLink
import Wire

/// Why no message was received.
enum MessageError: Error, Hashable, Sendable {
    case link(LinkError)
    case malformed(WireError)

    /// The refusal that the peer receives about it.
    var refusal: MigrationRefusal {
        switch self {
        case .link(.timedOut(let limit)):
            MigrationRefusal(.timedOut, text: "the peer was silent for \(limit)")
        case .link(let error):
            MigrationRefusal(.timedOut, text: "the connection was lost: \(error)")
        case .malformed(let error):
            MigrationRefusal(.protocolViolation, text: "a message cannot be decoded: \(error)")
        }
    }
}

extension Link {
    func sendMessage(_ message: PeerMessage) throws(LinkError) { try sendBytes(message.bytes) }

    /// Receives the next message completely.
    func receiveMessage() throws(MessageError) -> PeerMessage {
        do {
            let header = try PeerMessageHeader(receiveBytes(count: PeerMessageHeader.bytes))
            let body = try receiveBytes(count: header.bodyBytes)
            return try PeerMessage(kind: header.kind, body: body)
        } catch {
            throw typedError(
                error, converting: MessageError.link, convertingOther: MessageError.malformed)
        }
    }
}
