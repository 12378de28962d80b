/// The services of ring 0 (`Boot.S`): what ring 3 may not do itself. A round trip costs tens of
/// microseconds where ring 0 is emulated, so callers poll sparingly.
enum Ring0 {
    private enum Service: UInt64 {
        case readPort, writePort, writePort16, readMSR, writeMSR, send, receive, idle, tripleFault
    }

    static func read(port: UInt16) -> UInt8 {
        UInt8(truncatingIfNeeded: call(.readPort, UInt64(port)))
    }

    static func write(_ value: UInt8, port: UInt16) {
        call(.writePort, UInt64(port), UInt64(value))
    }

    static func write16(_ value: UInt16, port: UInt16) {
        call(.writePort16, UInt64(port), UInt64(value))
    }

    static func read(msr: UInt32) -> UInt64 {
        call(.readMSR, UInt64(msr))
    }

    static func write(_ value: UInt64, msr: UInt32) {
        call(.writeMSR, UInt64(msr), value)
    }

    /// Sends bytes to the serial port; returns how many it had no room for.
    static func send(_ bytes: UnsafePointer<UInt8>, count: Int) -> Int {
        Int(call(.send, UInt64(UInt(bitPattern: bytes)), UInt64(count)))
    }

    /// The next byte from the serial port, if there is one.
    static func receive() -> UInt8? {
        let answer = call(.receive)
        return answer < 256 ? UInt8(answer) : nil
    }

    /// Halts this CPU until its next interrupt; one that is already pending ends it at once.
    static func idle() {
        call(.idle)
    }

    static func tripleFault() {
        call(.tripleFault)
    }

    @discardableResult
    private static func call(_ service: Service, _ first: UInt64 = 0, _ second: UInt64 = 0)
        -> UInt64
    {
        ring0(service.rawValue, first, second)
    }
}
