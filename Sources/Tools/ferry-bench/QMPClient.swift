// The little of QEMU's machine protocol (QMP) that a migration needs.

import Foundation
import Host

/// What went wrong with the peer.
struct PeerError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A QMP connection: one command, one answer; events in between are passed over.
final class QMPClient {
    private static let answerTimeout = Duration.seconds(30)
    private let socket: Descriptor
    private var rest: [UInt8] = []

    init(socketPath: String) throws {
        socket = try UnixSocket.openConnection(to: socketPath)
        _ = try nextMessage()  // the greeting
        _ = try executeCommand("qmp_capabilities")
    }

    @discardableResult
    func executeCommand(_ name: String, arguments: [String: Any] = [:]) throws -> [String: Any] {
        let message: [String: Any] = ["execute": name, "arguments": arguments]
        let bytes = try JSONSerialization.data(withJSONObject: message)
        try UnixSocket.sendBytes([UInt8](bytes) + [UInt8(ascii: "\n")], on: socket)
        while true {
            let answer = try nextMessage()
            if let error = answer["error"] { throw PeerError("QEMU refused \(name): \(error)") }
            if let result = answer["return"] { return result as? [String: Any] ?? [:] }
        }
    }

    private func nextMessage() throws -> [String: Any] {
        while true {
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Data(rest[..<end])
                rest.removeFirst(end + 1)
                guard let message = try JSONSerialization.jsonObject(with: line) as? [String: Any]
                else { throw PeerError("QEMU sent a line that is no object") }
                return message
            }
            guard try socket.waitReadable(within: Self.answerTimeout) else {
                throw PeerError("QEMU did not answer in \(Self.answerTimeout)")
            }
            let bytes = try UnixSocket.receiveBytes(upTo: 65536, on: socket).bytes
            if bytes.isEmpty { throw PeerError("QEMU closed its QMP socket") }
            rest += bytes
        }
    }
}
