import Synchronization

/// What the guest says, all of it from CPU 0: heartbeats when they are due, and what the CPUs have
/// found or done.
struct Reporter {
    private let machine: UnsafeMutablePointer<Machine>
    private let period: UInt64
    private var sequence: UInt64 = 0
    private var hasFilled = false
    private var detailsSent = 0
    private var detailsSentByCPU = InlineArray<32, Int>(repeating: 0)
    private var verificationsReported: UInt64 = 0
    private var verificationStart: UInt64 = 0

    /// When the next heartbeat is due, in clock ticks.
    private(set) var due: UInt64

    init(_ machine: UnsafeMutablePointer<Machine>, now: UInt64) {
        self.machine = machine
        period = machine.pointee.clock.tickCount(
            microseconds: machine.pointee.options.periodMicroseconds)
        due = now + period
    }

    static func sendReadyLine(for machine: borrowing Machine) {
        let options = machine.options
        let memoryMiB = (machine.memory.totalBytes + 1 << 19) >> 20
        let period = options.periodMicroseconds
        let isFlatOut = options.rate == Options.flatOut
        Message(
            """
            pulse ready cpus=\(machine.cpuCount) memory_mib=\(memoryMiB) \
            fill_pages=\(machine.fillPages) ws_pages=\(machine.workingSetPages) \
            rate=\(options.rate, orWord: isFlatOut ? "max" : nil) \
            content=\(options.contentName) period_us=\(period) tsc_khz=\(machine.clock.kilohertz)
            """
        ).sendToConsole()
    }

    /// Starts a verification, unless one is under way. Returns whether it did.
    mutating func beginVerification(now: UInt64) -> Bool {
        guard machine.pointee.verifications.load(ordering: .relaxed) == verificationsReported else {
            return false
        }
        verificationStart = now
        machine.pointee.verifications.store(verificationsReported + 1, ordering: .releasing)
        return true
    }

    mutating func reportDueEvents(now: UInt64) {
        if now >= due { sendHeartbeat(now: now) }
        if !hasFilled { sendFilledIfDone(now: now) }
        sendDetails()
        sendVerifiedIfDone(now: now)
    }

    /// A heartbeat that is late by more than a period does not drag others behind it.
    private mutating func sendHeartbeat(now: UInt64) {
        sequence += 1
        due = now - due > period ? now + period : due + period
        let time = machine.pointee.clock.microseconds(ticks: now)
        let written = sumOverShares { $0.pointee.written.load(ordering: .relaxed) }
        let checked = sumOverShares { $0.pointee.checked.load(ordering: .relaxed) }
        let errors = sumOverShares { $0.pointee.errors.load(ordering: .relaxed) }
        Message(
            """
            pulse seq=\(sequence) t_us=\(time) written=\(written) checked=\(checked) \
            errors=\(errors)
            """
        ).sendToConsole()
    }

    private mutating func sendFilledIfDone(now: UInt64) {
        guard sumOverShares(of: { $0.pointee.hasFilled.load(ordering: .acquiring) ? 0 : 1 }) == 0
        else { return }
        hasFilled = true
        let time = machine.pointee.clock.microseconds(ticks: now)
        Message("pulse filled pages=\(machine.pointee.fillPages) us=\(time)").sendToConsole()
    }

    private mutating func sendDetails() {
        for cpu in 0..<Int(machine.pointee.cpuCount) {
            let share = machine.pointee.shares + cpu
            let known = min(
                Int(share.pointee.errors.load(ordering: .acquiring)), WrongPage.detailsMax)
            while detailsSentByCPU[cpu] < known, detailsSent < WrongPage.detailsMax {
                let wrong = share.pointee.details[detailsSentByCPU[cpu]]
                Message(
                    """
                    pulse error page=\(wrong.page) version=\(UInt64(wrong.version)) \
                    offset=\(wrong.offset)
                    """
                ).sendToConsole()
                detailsSentByCPU[cpu] += 1
                detailsSent += 1
            }
        }
    }

    private mutating func sendVerifiedIfDone(now: UInt64) {
        let asked = machine.pointee.verifications.load(ordering: .relaxed)
        guard verificationsReported < asked,
            sumOverShares(of: {
                $0.pointee.verifications.load(ordering: .acquiring) < asked ? 1 : 0
            }) == 0
        else { return }
        verificationsReported = asked
        let errors = sumOverShares { $0.pointee.verifiedErrors.load(ordering: .relaxed) }
        let time = machine.pointee.clock.microseconds(ticks: now - verificationStart)
        Message("pulse verified pages=\(machine.pointee.fillPages) errors=\(errors) us=\(time)")
            .sendToConsole()
    }

    private func sumOverShares(of value: (UnsafeMutablePointer<Share>) -> UInt64) -> UInt64 {
        var total: UInt64 = 0
        for cpu in 0..<Int(machine.pointee.cpuCount) {
            total += value(machine.pointee.shares + cpu)
        }
        return total
    }
}
