// The ports by which a guest ends or resets its machine.

/// The keyboard controller, as far as a reset needs it: no keyboard, and command 0xfe pulls the reset line.
struct KeyboardController: PortDevice {
    let ports: ClosedRange<UInt16> = 0x64...0x64

    /// Nothing waits in either direction.
    func readRegister(port: UInt16, size: Int) -> UInt32 { 0 }

    func writeRegister(port: UInt16, size: Int, value: UInt32) -> GuestRequest? {
        value & 0xff == 0xfe ? .reset : nil
    }
}

/// The keyboard's data port: no key was pressed.
struct KeyboardData: PortDevice {
    let ports: ClosedRange<UInt16> = 0x60...0x60
    func readRegister(port: UInt16, size: Int) -> UInt32 { 0 }
    func writeRegister(port: UInt16, size: Int, value: UInt32) -> GuestRequest? { nil }
}

/// ACPI's PM1a control register where QEMU has it: SLP_EN (0x2000) powers off.
struct PowerControl: PortDevice {
    let ports: ClosedRange<UInt16> = 0x604...0x604

    func readRegister(port: UInt16, size: Int) -> UInt32 { 0 }

    func writeRegister(port: UInt16, size: Int, value: UInt32) -> GuestRequest? {
        value & 0x2000 != 0 ? .powerOff : nil
    }
}

/// The reset control register 0xcf9: bit 2 resets. Its neighbours are PCI's configuration ports.
struct ResetControl: PortDevice {
    let ports: ClosedRange<UInt16> = 0xcf9...0xcf9

    func readRegister(port: UInt16, size: Int) -> UInt32 { 0 }

    func writeRegister(port: UInt16, size: Int, value: UInt32) -> GuestRequest? {
        size == 1 && value & 0x04 != 0 ? .reset : nil
    }
}
