/// This CPU's local APIC, through its page in memory: the one-shot timer that ends `idle`, and the
/// messages that start other CPUs. Ring 3 may access the page, so only the halt itself needs ring
/// 0.
struct APIC {
    static let address: UInt64 = 0xfee0_0000

    private enum Register: UInt64 {
        case id = 0x20
        case endOfInterrupt = 0xb0
        case spurious = 0xf0
        case commandLow = 0x300
        case commandHigh = 0x310
        case timer = 0x320
        case lint0 = 0x350
        case timerStart = 0x380
        case timerNow = 0x390
        case timerDivide = 0x3e0
    }

    private static let timerVector: UInt32 = 32
    private static let spuriousVector: UInt32 = 47
    private static let masked: UInt32 = 1 << 16

    /// Timer ticks per millisecond; 0 if the timer does not run.
    private let timerKilohertz: UInt64
    private let clockKilohertz: UInt64

    /// Enables this CPU's APIC and measures its timer against the clock.
    init(clockKilohertz: UInt64) {
        self.clockKilohertz = clockKilohertz
        APIC.writeValue(0x100 | APIC.spuriousVector, to: .spurious)
        APIC.writeValue(APIC.masked, to: .lint0)  // nothing from the old interrupt controller
        APIC.writeValue(APIC.masked, to: .timer)
        APIC.writeValue(0xb, to: .timerDivide)  // by 1
        APIC.writeValue(.max, to: .timerStart)
        let start = timestamp()
        let before = APIC.readValue(of: .timerNow)
        while timestamp() &- start < clockKilohertz * 2 { relax() }
        let after = APIC.readValue(of: .timerNow)
        let elapsed = timestamp() &- start
        timerKilohertz = UInt64(before &- after) * clockKilohertz / elapsed
        APIC.writeValue(0, to: .timerStart)
        APIC.writeValue(APIC.timerVector, to: .timer)  // one-shot
    }

    var hasTimer: Bool { timerKilohertz > 0 }

    /// Halts this CPU for a number of clock ticks, at most a second.
    func haltProcessor(ticks: UInt64) {
        let count = min(ticks, clockKilohertz * 1000) * timerKilohertz / clockKilohertz
        guard count > 0 else { return }
        APIC.writeValue(UInt32(min(count, UInt64(UInt32.max))), to: .timerStart)
        Ring0.haltProcessor()
        APIC.writeValue(0, to: .endOfInterrupt)
    }

    static var id: UInt8 { UInt8(readValue(of: .id) >> 24) }

    static func sendInitIPI(to id: UInt8) {
        sendCommand(0x0000_4500, to: id)
    }

    /// Starts a CPU in 16-bit mode at a page below 1 MiB.
    static func sendStartupIPI(to id: UInt8, page: UInt32) {
        sendCommand(0x0000_4600 | page >> 12, to: id)
    }

    private static func sendCommand(_ command: UInt32, to id: UInt8) {
        writeValue(UInt32(id) << 24, to: .commandHigh)
        writeValue(command, to: .commandLow)
        while readValue(of: .commandLow) & 1 << 12 != 0 { relax() }
    }

    private static func readValue(of register: Register) -> UInt32 {
        read_register(address + register.rawValue)
    }

    private static func writeValue(_ value: UInt32, to register: Register) {
        write_register(address + register.rawValue, value)
    }
}
