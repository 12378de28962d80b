// The ports and addresses that are not RAM: who answers there.
//
// What nobody answers reads as all ones and takes writes without effect, as on a PC; so do PCI's
// configuration ports, which tells a guest that there is no PCI.

/// What a guest asked its machine for.
enum GuestRequest: Hashable, Sendable {
    case reset
    case powerOff
}

/// A device with ports. Called on vCPU threads, several at once.
protocol PortDevice: Sendable {
    var ports: ClosedRange<UInt16> { get }
    /// `size` is 1, 2 or 4 bytes.
    func readRegister(port: UInt16, size: Int) -> UInt32
    func writeRegister(port: UInt16, size: Int, value: UInt32) -> GuestRequest?
}

/// All devices of one guest.
struct Bus: Sendable {
    let devices: [any PortDevice]

    private func findDevice(at port: UInt16) -> (any PortDevice)? {
        devices.first { $0.ports.contains(port) }
    }

    /// `data` holds one value of `size` bytes, or several of a string instruction.
    func handlePortWrite(
        at port: UInt16, size: Int, data: UnsafeMutableRawBufferPointer
    ) -> GuestRequest? {
        guard let device = findDevice(at: port) else { return nil }
        var request: GuestRequest?
        for start in stride(from: 0, to: data.count, by: size) {
            var value: UInt32 = 0
            for index in 0..<size { value |= unsafe UInt32(data[start + index]) << (8 * index) }
            request = device.writeRegister(port: port, size: size, value: value) ?? request
        }
        return request
    }

    func handlePortRead(at port: UInt16, size: Int, data: UnsafeMutableRawBufferPointer) {
        let device = findDevice(at: port)
        for start in stride(from: 0, to: data.count, by: size) {
            let value = device?.readRegister(port: port, size: size) ?? .max
            for index in 0..<size {
                unsafe data[start + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
            }
        }
    }

    func handleMemoryRead(data: UnsafeMutableRawBufferPointer) {
        unsafe data.initializeMemory(as: UInt8.self, repeating: 0xff)
    }
}
