// The lines of an answer that goes on, each of bounded length.

import AsyncHTTPClient
import NIOCore

struct EtcdStream {
    private var parts: HTTPClientResponse.Body.AsyncIterator
    private var lines = LineBuffer()

    init(_ body: HTTPClientResponse.Body) { parts = body.makeAsyncIterator() }

    /// Nil at the end.
    mutating func nextRawLine(isolation: isolated (any Actor)?) async throws -> [UInt8]? {
        while true {
            if let line = lines.popNextLine() { return line }
            guard let part = try await parts.next(isolation: isolation) else { return nil }
            try lines.appendBytes(part.readableBytesView)
        }
    }
}

/// Bytes that came, cut at newlines.
struct LineBuffer {
    private var bytes: [UInt8] = []
    /// Without a newline before it.
    private var searched = 0

    mutating func appendBytes(_ part: some Sequence<UInt8>) throws(EtcdFailure) {
        bytes.append(contentsOf: part)
        guard bytes.count <= Limits.watchLineBytesMax else { throw .tooLong }
    }

    mutating func popNextLine() -> [UInt8]? {
        guard let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
            searched = bytes.count
            return nil
        }
        let line = Array(bytes[..<end])
        bytes.removeSubrange(...end)
        searched = 0
        return line
    }
}
