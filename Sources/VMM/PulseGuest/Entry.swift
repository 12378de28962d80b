import Synchronization

/// Where each CPU enters Swift, in ring 3 on its own stack. CPU 0 gets the address of the start
/// information and sets the machine up; the others get the machine.
@c(pulse_cpu)
func enter(_ cpu: UInt32, _ argument: UInt32) {
    guard cpu == 0 else {
        runOther(UnsafeMutablePointer(bitPattern: UInt(argument))!, index: Int(cpu))
    }
    guard let startInfo = StartInfo(at: UInt64(argument)) else {
        Panic.end("pulse panic no PVH memory map")
    }
    prepareConsole()
    guard let options = Options(startInfo.commandLine) else { Power.off() }
    runFirst(setUp(startInfo, options))
}

/// FIFOs on; the line is set by whoever is at the other end. The old interrupt controller stays
/// silent.
private func prepareConsole() {
    Ring0.write(0x07, port: 0x3fa)
    Ring0.write(0xff, port: 0x21)
    Ring0.write(0xff, port: 0xa1)
}

/// How far apart a CPU with nothing to do looks for work: small slices, and no input waits longer.
private let sliceMicroseconds: UInt64 = 4000

private func runFirst(_ machine: UnsafeMutablePointer<Machine>) -> Never {
    let apic = APIC(clockKilohertz: machine.pointee.clock.kilohertz)
    Processors.startOthers(of: machine)
    Reporter.sendReady(machine.pointee)
    machine.pointee.hasBegun.store(true, ordering: .releasing)
    var clock = machine.pointee.clock
    var worker = Worker(machine, index: 0, scratch: machine.pointee.scratchPage(ofCPU: 0))
    var reporter = Reporter(machine, now: clock.now())
    var commands = Commands(machine)
    let slice = clock.ticks(microseconds: sliceMicroseconds)
    var pollDue: UInt64 = 0
    while true {
        Panic.stopIfHappened()
        let now = clock.now()
        if now >= pollDue {
            commands.poll(&reporter, now: now)
            pollDue = now + slice
        }
        reporter.step(now: now)
        if worker.step(now: now) { continue }
        wait(until: min(pollDue, reporter.due), &clock, apic, machine)
    }
}

private func runOther(_ machine: UnsafeMutablePointer<Machine>, index: Int) -> Never {
    var clock = machine.pointee.clock
    machine.pointee.shares[index].isPresent.store(true, ordering: .releasing)
    while !machine.pointee.hasBegun.load(ordering: .acquiring) { relax() }
    let apic = APIC(clockKilohertz: clock.kilohertz)
    var worker = Worker(machine, index: index, scratch: machine.pointee.scratchPage(ofCPU: index))
    let slice = clock.ticks(microseconds: sliceMicroseconds)
    while true {
        Panic.stopIfHappened()
        let now = clock.now()
        if worker.step(now: now) { continue }
        wait(until: now + slice, &clock, apic, machine)
    }
}

private func wait(
    until due: UInt64, _ clock: inout Clock, _ apic: APIC, _ machine: UnsafeMutablePointer<Machine>
) {
    let now = clock.now()
    guard now < due else { return }
    if apic.hasTimer, !machine.pointee.options.spins {
        apic.idle(ticks: due - now)
    } else {
        while clock.now() < due { relax() }
    }
}
