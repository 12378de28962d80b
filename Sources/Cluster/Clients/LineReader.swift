// Cuts a stream of bytes into lines, none of them without bound.

import Model

struct LineReader {
    private var line: [UInt8] = []
    private let host: HostName

    init(from host: HostName) { self.host = host }

    /// The lines that are complete with this part, without their ends.
    mutating func completed(
        byAppending part: ArraySlice<UInt8>
    ) throws(ClientError) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for byte in part {
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                continue
            }
            lines.append(line)
            line = []
        }
        guard line.count <= Limits.eventLineBytesMax else {
            throw .unexpected(host: host, reason: "a line of \(line.count) bytes")
        }
        return lines
    }
}
