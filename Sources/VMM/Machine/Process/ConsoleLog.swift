// The serial output on disk, bounded: when the log is full it becomes "console.log.1" and a new one begins.

import Glibc
import Host

struct ConsoleLog {
    private let path: String
    private var file: Descriptor
    private var bytes: Int

    init(path: String) throws(SystemError) {
        self.path = path
        file = try Self.open(path)
        bytes = try file.size()
    }

    mutating func append(_ output: [UInt8]) throws(SystemError) {
        if bytes + output.count > Limits.consoleLogBytesMax, bytes > 0 {
            try checked("rename(\(path))") { unsafe rename(path, path + ".1") }
            file = try Self.open(path)
            bytes = 0
        }
        try file.write(all: output)
        bytes += output.count
    }

    private static func open(_ path: String) throws(SystemError) -> Descriptor {
        try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND)
    }
}
