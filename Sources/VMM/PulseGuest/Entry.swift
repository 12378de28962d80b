import Synchronization

/// Where each CPU enters Swift, in ring 3 on its own stack. CPU 0 gets the address of the start
/// information and sets the machine up; the others get the machine.
@c(pulse_cpu)
func enterProcessor(cpu: UInt32, argument: UInt32) {
    guard cpu == 0 else {
        runApplicationProcessor(
            of: UnsafeMutablePointer(bitPattern: UInt(argument))!, index: Int(cpu))
    }
    guard let startInfo = StartInfo(at: UInt64(argument)) else {
        Panic.endGuest(with: "pulse panic no PVH memory map")
    }
    prepareConsole()
    guard let options = Options(startInfo.commandLine) else { Power.powerOff() }
    runBootstrapProcessor(of: setUpMachine(from: startInfo, with: options))
}

/// FIFOs on; the line is set by whoever is at the other end. The old interrupt controller stays
/// silent.
private func prepareConsole() {
    Ring0.writeByte(0x07, toPort: 0x3fa)
    Ring0.writeByte(0xff, toPort: 0x21)
    Ring0.writeByte(0xff, toPort: 0xa1)
}

/// How far apart a CPU with nothing to do looks for work: small slices, and no input waits longer.
private let sliceMicroseconds: UInt64 = 4000

private func runBootstrapProcessor(of machine: UnsafeMutablePointer<Machine>) -> Never {
    let apic = APIC(clockKilohertz: machine.pointee.clock.kilohertz)
    Processors.startOthers(of: machine)
    Reporter.sendReadyLine(for: machine.pointee)
    machine.pointee.hasBegun.store(true, ordering: .releasing)
    var clock = machine.pointee.clock
    var worker = Worker(machine, index: 0, scratch: machine.pointee.scratchPage(ofCPU: 0))
    var reporter = Reporter(machine, now: clock.currentTicks())
    var commands = Commands(machine)
    let slice = clock.tickCount(microseconds: sliceMicroseconds)
    var pollDue: UInt64 = 0
    while true {
        Panic.stopIfHappened()
        let now = clock.currentTicks()
        if now >= pollDue {
            commands.pollSerialPort(for: &reporter, now: now)
            pollDue = now + slice
        }
        reporter.reportDueEvents(now: now)
        if worker.advanceWork(now: now) { continue }
        idleProcessor(until: min(pollDue, reporter.due), reading: &clock, using: apic, of: machine)
    }
}

private func runApplicationProcessor(of machine: UnsafeMutablePointer<Machine>, index: Int) -> Never
{
    var clock = machine.pointee.clock
    machine.pointee.shares[index].isPresent.store(true, ordering: .releasing)
    while !machine.pointee.hasBegun.load(ordering: .acquiring) { relax() }
    let apic = APIC(clockKilohertz: clock.kilohertz)
    var worker = Worker(machine, index: index, scratch: machine.pointee.scratchPage(ofCPU: index))
    let slice = clock.tickCount(microseconds: sliceMicroseconds)
    while true {
        Panic.stopIfHappened()
        let now = clock.currentTicks()
        if worker.advanceWork(now: now) { continue }
        idleProcessor(until: now + slice, reading: &clock, using: apic, of: machine)
    }
}

private func idleProcessor(
    until due: UInt64, reading clock: inout Clock, using apic: APIC,
    of machine: UnsafeMutablePointer<Machine>
) {
    let now = clock.currentTicks()
    guard now < due else { return }
    if apic.hasTimer, !machine.pointee.options.spins {
        apic.haltProcessor(ticks: due - now)
    } else {
        while clock.currentTicks() < due { relax() }
    }
}
