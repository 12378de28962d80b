// The serial port on the bus: a lock, an interrupt line, and where the bytes go.

import Synchronization

/// COM1. Output goes to `sink`, one byte at a time, on vCPU threads: it must not block.
final class SerialDevice: PortDevice {
    static let interruptLine = 4

    let ports: ClosedRange<UInt16> = 0x3f8...0x3ff
    private let port = Mutex((chip: SerialPort(), raised: false))
    private let setLine: @Sendable (Bool) -> Void
    private let sink: @Sendable (UInt8) -> Void

    init(setLine: @escaping @Sendable (Bool) -> Void, sink: @escaping @Sendable (UInt8) -> Void) {
        self.setLine = setLine
        self.sink = sink
    }

    func readRegister(port: UInt16, size: Int) -> UInt32 {
        UInt32(modifyChip { chip in chip.readRegister(at: port - ports.lowerBound) })
    }

    func writeRegister(port: UInt16, size: Int, value: UInt32) -> GuestRequest? {
        let output = modifyChip { chip in
            chip.writeRegister(at: port - ports.lowerBound, value: UInt8(truncatingIfNeeded: value))
        }
        if let output { sink(output) }
        return nil
    }

    /// Takes as much input as there is room for and returns how much that was.
    func enqueueInput(_ bytes: some Collection<UInt8>) -> Int {
        modifyChip { chip in chip.enqueueInput(bytes) }
    }

    var state: SerialPort { port.withLock { $0.chip } }

    /// The line's level is not part of KVM's saved state: it is set again from the chip's.
    func restoreState(from chip: SerialPort) {
        port.withLock { port in
            port.chip = chip
            port.raised = chip.asksForInterrupt
            setLine(port.raised)
        }
    }

    /// Changes the chip, then the line if its level changed, under one lock so that levels keep their order.
    private func modifyChip<Value>(with body: (inout SerialPort) -> Value) -> Value {
        port.withLock { port in
            let value = body(&port.chip)
            let asks = port.chip.asksForInterrupt
            if asks != port.raised {
                port.raised = asks
                setLine(asks)
            }
            return value
        }
    }
}
