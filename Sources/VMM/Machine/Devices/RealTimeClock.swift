// The PC's battery clock (Motorola MC146818): the host's time in UTC, to be read and not set.

import Glibc
import Synchronization

/// Ports 0x70 (register number) and 0x71 (its value). No alarms, no interrupts.
final class RealTimeClock: PortDevice {
    let ports: ClosedRange<UInt16> = 0x70...0x71
    private let selected = Mutex<UInt8>(0)

    var state: UInt8 { selected.withLock { $0 } }
    func restoreState(register: UInt8) { selected.withLock { $0 = register } }

    func readRegister(port: UInt16, size: Int) -> UInt32 {
        port == 0x70 ? 0xff : UInt32(Self.registerValue(number: state, at: time(nil)))
    }

    func writeRegister(port: UInt16, size: Int, value: UInt32) -> GuestRequest? {
        if port == 0x70 { selected.withLock { $0 = UInt8(truncatingIfNeeded: value) & 0x7f } }
        return nil
    }

    static func registerValue(number register: UInt8, at time: time_t) -> UInt8 {
        var time = time
        var parts = unsafe tm()
        guard unsafe gmtime_r(&time, &parts) != nil else { return 0 }
        switch register {
        case 0x00: return unsafe binaryCodedDecimal(from: parts.tm_sec)
        case 0x02: return unsafe binaryCodedDecimal(from: parts.tm_min)
        case 0x04: return unsafe binaryCodedDecimal(from: parts.tm_hour)
        case 0x06: return unsafe binaryCodedDecimal(from: parts.tm_wday + 1)
        case 0x07: return unsafe binaryCodedDecimal(from: parts.tm_mday)
        case 0x08: return unsafe binaryCodedDecimal(from: parts.tm_mon + 1)
        case 0x09: return unsafe binaryCodedDecimal(from: parts.tm_year % 100)
        case 0x32: return unsafe binaryCodedDecimal(from: (parts.tm_year + 1900) / 100)
        case 0x0a: return 0x26  // no update under way, 32 kHz
        case 0x0b: return 0x02  // 24 hours, decimal digits
        case 0x0d: return 0x80  // the battery is good
        default: return 0
        }
    }

    /// Two decimal digits in four bits each.
    private static func binaryCodedDecimal(from value: Int32) -> UInt8 {
        UInt8(value / 10 * 16 + value % 10)
    }
}
