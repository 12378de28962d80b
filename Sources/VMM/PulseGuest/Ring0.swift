/// The services of ring 0 (`Boot.S`): what ring 3 may not do itself. A round trip costs tens of
/// microseconds where ring 0 is emulated, so callers poll sparingly.
enum Ring0 {
    private enum Service: UInt64 {
        case readPort, writePort, writePort16, readMSR, writeMSR, send, receive, idle, tripleFault
    }

    static func readByte(fromPort port: UInt16) -> UInt8 {
        UInt8(truncatingIfNeeded: callService(.readPort, first: UInt64(port)))
    }

    static func writeByte(_ value: UInt8, toPort port: UInt16) {
        callService(.writePort, first: UInt64(port), second: UInt64(value))
    }

    static func writeWord(_ value: UInt16, toPort port: UInt16) {
        callService(.writePort16, first: UInt64(port), second: UInt64(value))
    }

    static func readMSR(index msr: UInt32) -> UInt64 {
        callService(.readMSR, first: UInt64(msr))
    }

    static func writeMSR(value: UInt64, index msr: UInt32) {
        callService(.writeMSR, first: UInt64(msr), second: value)
    }

    /// Sends bytes to the serial port; returns how many it had no room for.
    static func sendBytes(_ bytes: UnsafePointer<UInt8>, count: Int) -> Int {
        Int(callService(.send, first: UInt64(UInt(bitPattern: bytes)), second: UInt64(count)))
    }

    /// The next byte from the serial port, if there is one.
    static func receiveByte() -> UInt8? {
        let answer = callService(.receive)
        return answer < 256 ? UInt8(answer) : nil
    }

    /// Halts this CPU until its next interrupt; one that is already pending ends it at once.
    static func haltProcessor() {
        callService(.idle)
    }

    static func tripleFault() {
        callService(.tripleFault)
    }

    @discardableResult
    private static func callService(_ service: Service, first: UInt64 = 0, second: UInt64 = 0)
        -> UInt64
    {
        ring0(service.rawValue, first, second)
    }
}
