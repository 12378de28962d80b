import Synchronization

/// Commands from the serial port, a line each. The port is polled: its FIFO holds 16 bytes, and a
/// hypervisor keeps the rest back.
struct Commands {
    private static let bytesMax = 200

    private let machine: UnsafeMutablePointer<Machine>
    private var bytes = InlineArray<200, UInt8>(repeating: 0)
    private var count = 0

    init(_ machine: UnsafeMutablePointer<Machine>) {
        self.machine = machine
    }

    /// Reads what has arrived and obeys complete lines.
    mutating func pollSerialPort(for reporter: inout Reporter, now: UInt64) {
        for _ in 0..<64 {
            guard let byte = Ring0.receiveByte() else { return }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                executeLine(for: &reporter, now: now)
                count = 0
            } else if count < Commands.bytesMax {
                bytes[count] = byte
                count += 1
            }
        }
    }

    private mutating func executeLine(for reporter: inout Reporter, now: UInt64) {
        guard count > 0 else { return }
        let line = bytes  // a copy that no poll changes
        line.span.withUnsafeBufferPointer { buffer in
            executeCommand(Text(buffer.baseAddress!, count: count), for: &reporter, now: now)
        }
    }

    private func executeCommand(_ line: Text, for reporter: inout Reporter, now: UInt64) {
        var argument = line
        let command = argument.removePrefix(before: " ")
        if command == "echo" {
            Message("pulse echo \(argument)").sendToConsole()
        } else if command == "verify", reporter.beginVerification(now: now) {
            return
        } else if command == "rate", let rate = Options.parseRate(from: argument) {
            machine.pointee.rate.store(rate, ordering: .relaxed)
        } else if command == "stop" {
            machine.pointee.isWriting.store(false, ordering: .relaxed)
        } else if command == "go" {
            machine.pointee.isWriting.store(true, ordering: .relaxed)
        } else if command == "poweroff" {
            Power.powerOff()
        } else if command == "reboot" {
            Power.rebootGuest()
        } else {
            Message("pulse unknown command \(line)").sendToConsole()
        }
    }
}
