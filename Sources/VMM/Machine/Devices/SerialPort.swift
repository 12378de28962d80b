// The registers of a 16550A serial port (National Semiconductor PC16550D), without clock, lock or I/O.
//
// Bytes go out at once, so the transmitter is always empty. What comes in waits in a queue longer than the
// chip's sixteen bytes: a real sender would wait for RTS; ours hears from `offer` how much was taken.

/// The chip as a value: what a register access does, and whether it then asks for an interrupt.
package struct SerialPort: Hashable, Sendable {
    package private(set) var interruptEnable: UInt8 = 0
    package private(set) var fifoControl: UInt8 = 0
    package private(set) var lineControl: UInt8 = 0
    package private(set) var modemControl: UInt8 = 0
    package private(set) var scratch: UInt8 = 0
    package private(set) var divisor: UInt16 = 12
    /// The transmitter became empty and the guest was not told yet.
    package private(set) var transmitterEmptyPending = false
    package private(set) var overrun = false
    package private(set) var input: [UInt8] = []

    private enum Enable {
        static let received: UInt8 = 1
        static let transmitterEmpty: UInt8 = 2
        static let lineStatus: UInt8 = 4
    }
    private static let divisorLatch: UInt8 = 0x80
    private static let loopback: UInt8 = 0x10

    package init() {}

    package init(
        interruptEnable: UInt8, fifoControl: UInt8, lineControl: UInt8, modemControl: UInt8,
        scratch: UInt8, divisor: UInt16, transmitterEmptyPending: Bool, overrun: Bool,
        input: [UInt8]
    ) {
        self.interruptEnable = interruptEnable
        self.fifoControl = fifoControl
        self.lineControl = lineControl
        self.modemControl = modemControl
        self.scratch = scratch
        self.divisor = divisor
        self.transmitterEmptyPending = transmitterEmptyPending
        self.overrun = overrun
        self.input = input
    }

    /// The level of the interrupt line. OUT2 connects it, as on every PC; in loopback it is cut off.
    package var asksForInterrupt: Bool {
        interruptIdentification & 1 == 0 && modemControl & Self.loopback == 0
            && modemControl & 0x08 != 0
    }

    /// Takes as much input as there is room for and returns how much that was.
    package mutating func enqueueInput(_ bytes: some Collection<UInt8>) -> Int {
        let taken = min(bytes.count, Limits.serialInputBytesMax - input.count)
        input.append(contentsOf: bytes.prefix(taken))
        return taken
    }

    package mutating func readRegister(at register: UInt16) -> UInt8 {
        let latched = lineControl & Self.divisorLatch != 0
        switch register {
        case 0 where latched: return UInt8(truncatingIfNeeded: divisor)
        case 1 where latched: return UInt8(truncatingIfNeeded: divisor >> 8)
        case 0: return input.isEmpty ? 0 : input.removeFirst()
        case 1: return interruptEnable
        case 2:
            let identification = interruptIdentification
            if identification & 0x0f == 0x02 { transmitterEmptyPending = false }
            return identification
        case 3: return lineControl
        case 4: return modemControl
        case 5:
            defer { overrun = false }
            return lineStatus
        case 6: return modemStatus
        default: return scratch
        }
    }

    /// Returns the byte that goes out, if one does.
    package mutating func writeRegister(at register: UInt16, value: UInt8) -> UInt8? {
        let latched = lineControl & Self.divisorLatch != 0
        switch register {
        case 0 where latched: divisor = divisor & 0xff00 | UInt16(value)
        case 1 where latched: divisor = divisor & 0x00ff | UInt16(value) << 8
        case 0:
            transmitterEmptyPending = true
            if modemControl & Self.loopback == 0 { return value }
            if enqueueInput([value]) == 0 { overrun = true }
        case 1:
            let turnedOn = value & ~interruptEnable
            if turnedOn & Enable.transmitterEmpty != 0 { transmitterEmptyPending = true }
            interruptEnable = value & 0x0f
        case 2:
            if value & 0x02 != 0 { input.removeAll() }
            fifoControl = value & 0xc9
        case 3: lineControl = value
        case 4: modemControl = value & 0x1f
        case 7: scratch = value
        default: break
        }
        return nil
    }

    /// The most urgent reason for an interrupt; bit 0 set means none. The top bits say that there are FIFOs.
    private var interruptIdentification: UInt8 {
        let fifo: UInt8 = fifoControl & 1 != 0 ? 0xc0 : 0
        if interruptEnable & Enable.lineStatus != 0, overrun { return fifo | 0x06 }
        if interruptEnable & Enable.received != 0, !input.isEmpty { return fifo | 0x04 }
        if interruptEnable & Enable.transmitterEmpty != 0, transmitterEmptyPending {
            return fifo | 0x02
        }
        return fifo | 0x01
    }

    private var lineStatus: UInt8 {
        0x60 | (input.isEmpty ? 0 : 0x01) | (overrun ? 0x02 : 0)
    }

    /// A terminal is there: carrier, ready, clear to send. In loopback the port's own outputs come back.
    private var modemStatus: UInt8 {
        guard modemControl & Self.loopback != 0 else { return 0xb0 }
        var status: UInt8 = 0
        if modemControl & 0x01 != 0 { status |= 0x20 }  // DTR to DSR
        if modemControl & 0x02 != 0 { status |= 0x10 }  // RTS to CTS
        if modemControl & 0x04 != 0 { status |= 0x40 }  // OUT1 to RI
        if modemControl & 0x08 != 0 { status |= 0x80 }  // OUT2 to DCD
        return status
    }
}
