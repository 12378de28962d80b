// A terminal for a program under test: what it writes, what it is typed, how it leaves it.

import Foundation
import Testbed

struct PseudoTerminal {
    /// TIOCSPTLCK and TIOCGPTN: macros that are not imported (asm-generic/ioctls.h).
    private static let setLock: UInt = 0x4004_5431
    private static let getNumber: UInt = 0x8004_5430

    private let master: FileHandle
    private let slave: FileHandle

    init() throws {
        let number = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var lock: Int32 = 0
        var place: Int32 = 0
        guard number >= 0, unsafe ioctl(number, Self.setLock, &lock) == 0,
            unsafe ioctl(number, Self.getNumber, &place) == 0
        else { throw TestbedError("no pseudo terminal: error \(errno)") }
        master = FileHandle(fileDescriptor: number, closeOnDealloc: true)
        let other = unsafe open("/dev/pts/\(place)", O_RDWR | O_NOCTTY)
        guard other >= 0 else { throw TestbedError("no pseudo terminal: error \(errno)") }
        slave = FileHandle(fileDescriptor: other, closeOnDealloc: true)
    }

    /// Runs a program with it as standard input and output.
    func start(_ program: String, _ arguments: [String], in folder: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: folder)
        process.standardInput = slave
        process.standardOutput = slave
        try process.run()
        return process
    }

    /// Returns when the program has written this; throws after twenty seconds.
    func readUntil(_ text: String) throws {
        var seen = ""
        while !seen.contains(text) {
            var wait = pollfd(fd: master.fileDescriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&wait, 1, 20_000) == 1 else {
                throw TestbedError("'\(text)' did not come: \(seen)")
            }
            seen += String(decoding: master.availableData, as: UTF8.self)
        }
    }

    func type(_ text: String) throws { try master.write(contentsOf: Data(text.utf8)) }

    /// Whether keys are echoed, collected to lines, and have meanings.
    func localModes() throws -> tcflag_t {
        var settings = termios()
        guard unsafe tcgetattr(slave.fileDescriptor, &settings) == 0 else {
            throw TestbedError("no terminal's settings: error \(errno)")
        }
        return settings.c_lflag
    }
}
