// One end of a control socket: whole frames in, whole frames out, with the descriptors that came along.

package import Host
package import Wire

/// Why a control connection ended.
package enum ConnectionError: Error, Sendable, CustomStringConvertible {
    case closed
    case timedOut
    case system(SystemError)
    case malformed(WireError)
    /// The answer was not one that this request can have.
    case unexpectedReply(String)

    package var description: String {
        switch self {
        case .closed: "the vmm closed its control socket"
        case .timedOut: "the vmm did not answer in time"
        case .system(let error): "\(error)"
        case .malformed(let error): "the vmm sent a message that cannot be read: \(error)"
        case .unexpectedReply(let text): "the vmm gave an answer that does not fit: \(text)"
        }
    }
}

/// Frames over a Unix stream socket. Not for use by two threads at once.
package final class VMMConnection: @unchecked Sendable {
    /// `@unchecked`: one thread at a time, by its owner's lock or by being owned by one thread.
    package let socket: Descriptor

    package init(_ socket: Descriptor) { self.socket = socket }

    package func sendFrame(
        _ frame: [UInt8], with descriptors: [Descriptor] = []
    ) throws(ConnectionError) {
        do { try UnixSocket.sendBytes(frame, attaching: descriptors, on: socket) } catch {
            throw .system(error)
        }
    }

    /// The next frame. `within` nil waits for ever; a limit is for each wait, not for the whole.
    package func receiveFrame(
        within limit: Duration?
    ) throws(ConnectionError) -> (
        header: VMMFrameHeader, body: ArraySlice<UInt8>, descriptors: [Descriptor]
    ) {
        var descriptors: [Descriptor] = []
        let head = try receiveBytes(
            count: VMMFrameHeader.bytes, within: limit, descriptors: &descriptors)
        do {
            var reader = ByteReader(head)
            let header = try VMMFrameHeader(from: &reader)
            let body = try receiveBytes(
                count: header.bodyBytes, within: limit, descriptors: &descriptors)
            return (header, body[...], descriptors)
        } catch {
            throw typedError(error, converting: ConnectionError.malformed)
        }
    }

    private func receiveBytes(
        count: Int, within limit: Duration?, descriptors: inout [Descriptor]
    ) throws(ConnectionError) -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            while bytes.count < count {
                if let limit, !(try socket.waitReadable(within: limit)) {
                    throw ConnectionError.timedOut
                }
                let part = try UnixSocket.receiveBytes(upTo: count - bytes.count, on: socket)
                if part.bytes.isEmpty { throw ConnectionError.closed }
                bytes += part.bytes
                descriptors += part.descriptors
            }
            return bytes
        } catch {
            throw typedError(error, converting: ConnectionError.system)
        }
    }
}
