// The terminal in raw mode, for a console; it is put back whatever happens.

import Glibc

/// Raw mode of standard input: each key at once, none of them with a meaning here. Put back when this ends, and
/// when SIGTERM, SIGHUP or SIGINT end the program.
package struct RawTerminal: ~Copyable {
    /// Standard input's. A value without anything stored would end without its deinit (Swift 6.3.1).
    private let descriptor: Int32

    /// Nil when standard input is no terminal.
    /// - Parameter takesScreen: what is on the screen is kept aside, and the cursor hidden, until this ends.
    package init?(takesScreen: Bool = false) {
        guard isatty(0) == 1 else { return nil }
        var settings = termios()
        guard unsafe tcgetattr(0, &settings) == 0 else { return nil }
        unsafe savedSettings = settings
        unsafe cfmakeraw(&settings)
        guard unsafe tcsetattr(0, TCSANOW, &settings) == 0 else { return nil }
        descriptor = 0
        unsafe screenIsTaken = takesScreen
        if takesScreen { writeToTerminal("\u{1b}[?1049h\u{1b}[?25l") }
        for number in [SIGTERM, SIGHUP, SIGINT] {
            signal(number) { number in
                restoreTerminal(descriptor: 0)
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }

    deinit { restoreTerminal(descriptor: descriptor) }
}

package enum Terminal {
    /// Of standard output; nil when it is no terminal, or does not say.
    package static var size: (columns: Int, rows: Int)? {
        var size = winsize()
        guard unsafe ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
        else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}

package enum StandardStreams {
    /// Blocks for the next bytes of standard input; none at its end.
    package static func readInput(upTo count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let filled = try checkedSystemCall(named: "read(standard input)") {
            unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(0, $0.baseAddress, $0.count) }
        }
        bytes.removeLast(count - filled)
        return bytes
    }

    package static var inputIsTerminal: Bool { isatty(0) == 1 }
    package static var outputIsTerminal: Bool { isatty(1) == 1 }
    package static var errorIsTerminal: Bool { isatty(2) == 1 }

    /// Writes all, unbuffered, to standard output (1) or standard error (2).
    package static func writeBytes(_ bytes: some Sequence<UInt8>, toDescriptor number: Int32 = 1)
        throws(SystemError)
    {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let written = try checkedSystemCall(named: "write") {
                unsafe rest.withUnsafeBytes { unsafe Glibc.write(number, $0.baseAddress, $0.count) }
            }
            rest = rest.dropFirst(written)
        }
    }
}

/// Written once, before the signal handlers that read it are set.
nonisolated(unsafe) private var savedSettings: termios?

/// Written once, too.
nonisolated(unsafe) private var screenIsTaken = false

/// Called by signal handlers: nothing here allocates.
private func restoreTerminal(descriptor: Int32) {
    if unsafe screenIsTaken {
        unsafe screenIsTaken = false
        writeToTerminal("\u{1b}[?25h\u{1b}[?1049l")
    }
    guard var settings = unsafe savedSettings else { return }
    _ = unsafe tcsetattr(descriptor, TCSADRAIN, &settings)
}

/// A terminal that cannot be written to shows nothing anyway.
private func writeToTerminal(_ text: StaticString) {
    _ = unsafe write(1, text.utf8Start, text.utf8CodeUnitCount)
}
