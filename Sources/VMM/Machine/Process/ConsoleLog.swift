// The serial output on disk, bounded: when the log is full it becomes "console.log.1" and a new one begins.

import Glibc
import Host

struct ConsoleLog {
    private let path: String
    private var file: Descriptor
    private var bytes: Int

    init(path: String) throws(SystemError) {
        self.path = path
        file = try Self.openLogFile(at: path)
        bytes = try file.sizeInBytes()
    }

    mutating func appendOutput(_ output: [UInt8]) throws(SystemError) {
        if bytes + output.count > Limits.consoleLogBytesMax, bytes > 0 {
            try checkedSystemCall(named: "rename(\(path))") { unsafe rename(path, path + ".1") }
            file = try Self.openLogFile(at: path)
            bytes = 0
        }
        try file.writeAllBytes(output)
        bytes += output.count
    }

    private static func openLogFile(at path: String) throws(SystemError) -> Descriptor {
        try Descriptor.openFile(at: path, flags: O_WRONLY | O_CREAT | O_APPEND)
    }
}
