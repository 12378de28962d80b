import Synchronization

/// Lays out memory and decides what the machine will do. Everything is taken from the start of
/// memory once; nothing is ever given back.
func setUpMachine(from startInfo: StartInfo, with options: Options) -> UnsafeMutablePointer<Machine>
{
    var memory = Memory(startInfo)
    guard memory.mapAllRanges() else {
        Panic.endGuest(with: "pulse panic no memory for page tables")
    }
    guard
        let kilohertz = Frequency.kilohertz(
            page: allocateMemory(bytes: Memory.pageBytes, from: &memory))
    else {
        Panic.endGuest(with: "pulse panic no clock")
    }
    let clock = Clock(kilohertz: kilohertz)
    let others = ProcessorTable(own: APIC.id)
    let cpuCount = others.count + 1
    let dictionary = Dictionary(in: allocateMemory(bytes: Dictionary.bytes, from: &memory))
    let scratch = allocateMemory(bytes: UInt64(cpuCount) * Machine.scratchStride, from: &memory)
    let shares = allocateShares(count: cpuCount, from: &memory)
    let place = allocateMemory(bytes: UInt64(MemoryLayout<Machine>.size), from: &memory)

    let fillPages = fillPageCount(for: options, in: memory)
    let workingSetPages = workingSetPageCount(for: options, fillPages: fillPages)
    let versions = allocateMemory(bytes: fillPages * 4, from: &memory)
    let machine = place.bindMemory(to: Machine.self, capacity: 1)
    machine.initialize(
        to: Machine(
            options: options, memory: memory,
            content: Content(kind: options.content, seed: options.seed, dictionary: dictionary),
            clock: clock, fillPages: fillPages, workingSetPages: workingSetPages,
            versions: versions.bindMemory(to: UInt32.self, capacity: Int(fillPages)),
            shares: shares, scratch: scratch, others: others, cpuCount: UInt64(cpuCount),
            rate: Atomic(options.rate)))
    return machine
}

private func allocateMemory(bytes: UInt64, from memory: inout Memory) -> UnsafeMutableRawPointer {
    guard let pointer = memory.allocatePages(bytes: bytes) else {
        Panic.endGuest(with: "pulse panic out of memory")
    }
    return pointer
}

private func allocateShares(count: Int, from memory: inout Memory) -> UnsafeMutablePointer<Share> {
    let stride = UInt64(MemoryLayout<Share>.stride)
    let shares = allocateMemory(bytes: UInt64(count) * stride, from: &memory).bindMemory(
        to: Share.self, capacity: count)
    for index in 0..<count {
        let details = allocateMemory(
            bytes: UInt64(WrongPage.detailsMax * MemoryLayout<WrongPage>.stride), from: &memory
        )
        .bindMemory(to: WrongPage.self, capacity: WrongPage.detailsMax)
        (shares + index).initialize(to: Share(details: details))
    }
    return shares
}

/// What was asked for, or three quarters of memory. A page costs 4 bytes more, in the version
/// table.
private func fillPageCount(for options: Options, in memory: Memory) -> UInt64 {
    let fitting = (memory.freePages - 1) * 1024 / 1025
    guard let bytes = options.fillBytes else {
        return min(memory.totalBytes / 4 * 3 / Memory.pageBytes, fitting)
    }
    let pages = bytes / Memory.pageBytes
    guard pages <= fitting else {
        Message("pulse bad option fill: only \(fitting) pages fit").sendToConsole()
        Power.powerOff()
    }
    return pages
}

private func workingSetPageCount(for options: Options, fillPages: UInt64) -> UInt64 {
    guard let bytes = options.workingSetBytes else {
        return min(Options.defaultWorkingSetBytes / Memory.pageBytes, fillPages)
    }
    let pages = bytes / Memory.pageBytes
    guard pages <= fillPages else {
        Message("pulse bad option ws: only \(fillPages) pages are filled").sendToConsole()
        Power.powerOff()
    }
    return pages
}
