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
        APIC.write(0x100 | APIC.spuriousVector, .spurious)
        APIC.write(APIC.masked, .lint0)  // nothing from the old interrupt controller
        APIC.write(APIC.masked, .timer)
        APIC.write(0xb, .timerDivide)  // by 1
        APIC.write(.max, .timerStart)
        let start = timestamp()
        let before = APIC.read(.timerNow)
        while timestamp() &- start < clockKilohertz * 2 { relax() }
        let after = APIC.read(.timerNow)
        let elapsed = timestamp() &- start
        timerKilohertz = UInt64(before &- after) * clockKilohertz / elapsed
        APIC.write(0, .timerStart)
        APIC.write(APIC.timerVector, .timer)  // one-shot
    }

    var hasTimer: Bool { timerKilohertz > 0 }

    /// Halts this CPU for a number of clock ticks, at most a second.
    func idle(ticks: UInt64) {
        let count = min(ticks, clockKilohertz * 1000) * timerKilohertz / clockKilohertz
        guard count > 0 else { return }
        APIC.write(UInt32(min(count, UInt64(UInt32.max))), .timerStart)
        Ring0.idle()
        APIC.write(0, .endOfInterrupt)
    }

    static var id: UInt8 { UInt8(read(.id) >> 24) }

    static func sendInit(to id: UInt8) {
        send(0x0000_4500, to: id)
    }

    /// Starts a CPU in 16-bit mode at a page below 1 MiB.
    static func sendStartup(to id: UInt8, page: UInt32) {
        send(0x0000_4600 | page >> 12, to: id)
    }

    private static func send(_ command: UInt32, to id: UInt8) {
        write(UInt32(id) << 24, .commandHigh)
        write(command, .commandLow)
        while read(.commandLow) & 1 << 12 != 0 { relax() }
    }

    private static func read(_ register: Register) -> UInt32 {
        read_register(address + register.rawValue)
    }

    private static func write(_ value: UInt32, _ register: Register) {
        write_register(address + register.rawValue, value)
    }
}
