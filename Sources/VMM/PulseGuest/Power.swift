/// Ways to end. Each tries what the hypervisor may know, in turn, and a triple fault last.
enum Power {
    private static let acpiControl: UInt16 = 0x604
    private static let acpiSleepS5: UInt16 = 0x2000
    private static let keyboard: UInt16 = 0x64
    private static let keyboardReset: UInt8 = 0xfe

    static func powerOff() -> Never {
        Message("pulse poweroff").sendToConsole()
        Ring0.writeWord(acpiSleepS5, toPort: acpiControl)
        resetMachine()
    }

    static func rebootGuest() -> Never {
        Message("pulse reboot").sendToConsole()
        resetMachine()
    }

    private static func resetMachine() -> Never {
        Ring0.writeByte(keyboardReset, toPort: keyboard)
        waitForReset()
        Ring0.tripleFault()
        while true { relax() }
    }

    /// A hypervisor may act on the reset a little later.
    private static func waitForReset() {
        for _ in 0..<2_000_000 { relax() }
    }
}
