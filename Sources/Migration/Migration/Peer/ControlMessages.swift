// Control messages over a peer connection.

import Host
import MigrationProtocol
import PeerLink
import Wire

/// Why no message came.
enum MessageError: Error, Hashable, Sendable {
    case link(LinkError)
    case malformed(WireError)

    /// What the peer is told about it.
    var refusal: MigrationRefusal {
        switch self {
        case .link(.timedOut(let limit)):
            MigrationRefusal(.timedOut, text: "the peer was silent for \(limit)")
        case .link(let error):
            MigrationRefusal(.timedOut, text: "the connection was lost: \(error)")
        case .malformed(let error):
            MigrationRefusal(.protocolViolation, text: "a message that cannot be read: \(error)")
        }
    }
}

extension Link {
    func sendMessage(_ message: PeerMessage) throws(LinkError) { try sendBytes(message.bytes) }

    /// The next message, whole.
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
