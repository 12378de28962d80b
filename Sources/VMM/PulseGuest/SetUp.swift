import Synchronization

/// Lays out memory and decides what the machine will do. Everything is taken from the start of
/// memory once; nothing is ever given back.
func setUp(_ startInfo: StartInfo, _ options: Options) -> UnsafeMutablePointer<Machine> {
    var memory = Memory(startInfo)
    guard memory.map() else { Panic.end("pulse panic no memory for page tables") }
    guard let kilohertz = Frequency.kilohertz(page: take(Memory.pageBytes, &memory)) else {
        Panic.end("pulse panic no clock")
    }
    let clock = Clock(kilohertz: kilohertz)
    let others = ProcessorTable(own: APIC.id)
    let cpuCount = others.count + 1
    let dictionary = Dictionary(in: take(Dictionary.bytes, &memory))
    let scratch = take(UInt64(cpuCount) * Machine.scratchStride, &memory)
    let shares = takeShares(cpuCount, &memory)
    let place = take(UInt64(MemoryLayout<Machine>.size), &memory)

    let fillPages = pagesToFill(options, memory)
    let workingSetPages = pagesToWrite(options, fillPages)
    let versions = take(fillPages * 4, &memory)
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

private func take(_ bytes: UInt64, _ memory: inout Memory) -> UnsafeMutableRawPointer {
    guard let pointer = memory.take(bytes: bytes) else { Panic.end("pulse panic out of memory") }
    return pointer
}

private func takeShares(_ count: Int, _ memory: inout Memory) -> UnsafeMutablePointer<Share> {
    let stride = UInt64(MemoryLayout<Share>.stride)
    let shares = take(UInt64(count) * stride, &memory).bindMemory(to: Share.self, capacity: count)
    for index in 0..<count {
        let details = take(UInt64(WrongPage.detailsMax * MemoryLayout<WrongPage>.stride), &memory)
            .bindMemory(to: WrongPage.self, capacity: WrongPage.detailsMax)
        (shares + index).initialize(to: Share(details: details))
    }
    return shares
}

/// What was asked for, or three quarters of memory. A page costs 4 bytes more, in the version
/// table.
private func pagesToFill(_ options: Options, _ memory: Memory) -> UInt64 {
    let fitting = (memory.freePages - 1) * 1024 / 1025
    guard let bytes = options.fillBytes else {
        return min(memory.totalBytes / 4 * 3 / Memory.pageBytes, fitting)
    }
    let pages = bytes / Memory.pageBytes
    guard pages <= fitting else {
        Message("pulse bad option fill: only \(fitting) pages fit").send()
        Power.off()
    }
    return pages
}

private func pagesToWrite(_ options: Options, _ fillPages: UInt64) -> UInt64 {
    guard let bytes = options.workingSetBytes else {
        return min(Options.defaultWorkingSetBytes / Memory.pageBytes, fillPages)
    }
    let pages = bytes / Memory.pageBytes
    guard pages <= fillPages else {
        Message("pulse bad option ws: only \(fillPages) pages are filled").send()
        Power.off()
    }
    return pages
}
