import Synchronization

/// The end after a fault. Other CPUs stop at their next step, so that the line comes out whole.
enum Panic {
    private static let hasHappened = Atomic<Bool>(false)

    /// For each CPU to call at each step: does not return after a panic.
    static func stopIfHappened() {
        while hasHappened.load(ordering: .relaxed) { relax() }
    }

    static func endGuest(with message: Message) -> Never {
        if hasHappened.exchange(true, ordering: .relaxed) {
            while true { relax() }
        }
        for _ in 0..<1_000_000 { relax() }
        message.sendToConsole()
        Power.powerOff()
    }
}

/// Where `Boot.S` continues after an exception.
@c(pulse_panic)
func panicAfterException(vector: UInt64, error: UInt64, rip: UInt64, faultAddress: UInt64) {
    Panic.endGuest(
        with: """
            pulse panic vector=\(vector) error=0x\(hex: error) rip=0x\(hex: rip) \
            cr2=0x\(hex: faultAddress)
            """
    )
}
