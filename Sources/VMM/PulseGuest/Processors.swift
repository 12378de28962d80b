import Synchronization

/// Starts the other CPUs, one after the other, through the trampoline below 1 MiB.
enum Processors {
    static func startOthers(of machine: UnsafeMutablePointer<Machine>) {
        let count = machine.pointee.others.count
        guard count > 0 else { return }
        let page = UnsafeMutableRawPointer(bitPattern: UInt(PULSE_TRAMPOLINE))!
        page.copyMemory(from: trampoline()!, byteCount: Int(trampoline_bytes()))
        page.storeBytes(
            of: UInt32(UInt(bitPattern: machine)), toByteOffset: Int(PULSE_TRAMPOLINE_ARGUMENT),
            as: UInt32.self)
        for index in 0..<count {
            page.storeBytes(
                of: UInt32(index + 1), toByteOffset: Int(PULSE_TRAMPOLINE_CPU), as: UInt32.self)
            guard startProcessor(apicID: machine.pointee.others[index], cpu: index + 1, of: machine)
            else {
                Panic.endGuest(with: "pulse panic cpu \(UInt64(index + 1)) does not start")
            }
        }
    }

    /// INIT, 10 ms, then at most two start-up messages, as the MP specification has it.
    private static func startProcessor(
        apicID id: UInt8, cpu: Int, of machine: UnsafeMutablePointer<Machine>
    )
        -> Bool
    {
        APIC.sendInitIPI(to: id)
        _ = waitForStart(milliseconds: 10, cpu: cpu, of: machine)
        APIC.sendStartupIPI(to: id, page: UInt32(PULSE_TRAMPOLINE))
        if waitForStart(milliseconds: 20, cpu: cpu, of: machine) { return true }
        APIC.sendStartupIPI(to: id, page: UInt32(PULSE_TRAMPOLINE))
        return waitForStart(milliseconds: 1000, cpu: cpu, of: machine)
    }

    private static func waitForStart(
        milliseconds: UInt64, cpu: Int, of machine: UnsafeMutablePointer<Machine>
    ) -> Bool {
        let start = timestamp()
        while timestamp() &- start < milliseconds * machine.pointee.clock.kilohertz {
            if machine.pointee.shares[cpu].isPresent.load(ordering: .acquiring) { return true }
            relax()
        }
        return false
    }
}
