/// Ways to end. Each tries what the hypervisor may know, in turn, and a triple fault last.
enum Power {
    private static let acpiControl: UInt16 = 0x604
    private static let acpiSleepS5: UInt16 = 0x2000
    private static let keyboard: UInt16 = 0x64
    private static let keyboardReset: UInt8 = 0xfe

    static func off() -> Never {
        Message("pulse poweroff").send()
        Ring0.write16(acpiSleepS5, port: acpiControl)
        reset()
    }

    static func reboot() -> Never {
        Message("pulse reboot").send()
        reset()
    }

    private static func reset() -> Never {
        Ring0.write(keyboardReset, port: keyboard)
        pause()
        Ring0.tripleFault()
        while true { relax() }
    }

    /// A hypervisor may act on the reset a little later.
    private static func pause() {
        for _ in 0..<2_000_000 { relax() }
    }
}
