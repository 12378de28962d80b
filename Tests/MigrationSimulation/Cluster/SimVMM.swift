// A simulated ferry-vmm: a guest's memory, its dirty log and its lifecycle. It outlives the agent's crash.
//
// The lifecycle is the real one. The guest writes pages as virtual time passes; nothing of it needs a thread.

import Glibc
import Host
import Migration
import Model
import VMControl

/// `@unchecked`: whoever holds the baton may touch it.
final class SimVMM: @unchecked Sendable {
    let number: Int
    let vm: SimVM
    let host: Int
    let layout: GuestMemoryLayout
    let memory: Mapping
    let memoryFile: Descriptor
    let dirtyBits: Mapping
    private unowned let world: World
    private(set) var lifecycle: Lifecycle
    private(set) var isAlive = true
    /// It was killed by a fault, not by its agent.
    private(set) var wasKilled = false
    private var log: [UInt64]
    private var logOwner: ConnectionID?
    private var throttleOwner: ConnectionID?
    private(set) var throttlePercent = 0
    /// An arriving guest's process ends with this connection until its state is loaded.
    private var birthConnection: ConnectionID?
    /// Up to when the guest's writes are done.
    private var writtenUntil: UInt64 = 0
    private var owedWrites = 0.0

    init(_ world: World, number: Int, vm: SimVM, host: Int, state: VMState) throws {
        self.world = world
        self.number = number
        self.vm = vm
        self.host = host
        layout = vm.layout
        lifecycle = Lifecycle(state: state)
        let bytes = Int(layout.memory.bytes)
        memoryFile = try MemoryFile.createFixedSize(name: "sim-guest", bytes: bytes)
        memory = try Mapping(memoryFile, count: bytes)
        log = [UInt64](repeating: 0, count: (layout.pageCount + 63) / 64)
        let bits = try MemoryFile.createFixedSize(name: "sim-bits", bytes: log.count * 8)
        dirtyBits = try Mapping(bits, count: log.count * 8)
        writtenUntil = world.scheduler.now
    }

    var isRunning: Bool { isAlive && lifecycle.state == .running }
    var isLogging: Bool { logOwner != nil }
    var isSealed: Bool { lifecycle.isSealed }

    func bindBirth(to connection: ConnectionID) { birthConnection = connection }

    // MARK: The guest's own work

    /// Does the writes that fall into the time that has passed.
    func catchUp() {
        let now = world.scheduler.now
        defer { writtenUntil = now }
        guard isRunning, now > writtenUntil, vm.plan.writesPerSecond > 0 else { return }
        let share = Double(100 - throttlePercent) / 100
        owedWrites += Double(now - writtenUntil) / 1e9 * vm.plan.writesPerSecond * share
        // What is written over and over in one jump of time need be written once.
        var writes = min(Int(owedWrites), vm.plan.workingPages * 2)
        owedWrites -= owedWrites.rounded(.down)
        while writes > 0 {
            writes -= 1
            let page = vm.content.writeNext(to: memory)
            if isLogging { log[page / 64] |= 1 << UInt64(page % 64) }
        }
    }

    // MARK: Requests

    private func change(_ body: () -> Void) {
        catchUp()
        let wasRunning = isRunning
        body()
        owedWrites = 0
        if isRunning != wasRunning { world.guestChanged(self) }
    }

    func startDirtyLog(by owner: ConnectionID) {
        catchUp()
        logOwner = owner
        for word in log.indices { log[word] = .max }
    }

    func fetchDirtyLog() -> Int {
        catchUp()
        var count = 0
        for (index, word) in log.enumerated() {
            unsafe dirtyBits.base.storeBytes(of: word, toByteOffset: index * 8, as: UInt64.self)
            count += word.nonzeroBitCount
        }
        return count
    }

    func clearDirtyLog(_ pages: Range<Int>) {
        catchUp()
        for word in (pages.lowerBound / 64)..<((pages.upperBound + 63) / 64) {
            log[word] &= ~(unsafe dirtyBits.base.load(fromByteOffset: word * 8, as: UInt64.self))
        }
    }

    /// All of it, also what nobody has fetched.
    func forgetDirtyPages() {
        catchUp()
        for word in log.indices { log[word] = 0 }
    }

    func stopDirtyLog() { logOwner = nil }

    func throttle(_ percent: Int, by owner: ConnectionID) {
        catchUp()
        throttlePercent = percent
        throttleOwner = percent == 0 ? nil : owner
    }

    func pause(for owner: ConnectionID?) { change { lifecycle.markPaused(for: owner) } }

    func seal(by owner: ConnectionID) -> Bool { lifecycle.sealHandover(by: owner) }

    func resume() -> Bool {
        guard isAlive, [.running, .paused].contains(lifecycle.state) else { return false }
        change { lifecycle.markRunning() }
        return true
    }

    func load() -> Bool {
        guard lifecycle.state == .incoming else { return false }
        birthConnection = nil
        lifecycle.markLoaded()
        return true
    }

    func connectionEnded(_ connection: ConnectionID) {
        guard isAlive else { return }
        if throttleOwner == connection { throttle(0, by: connection) }
        if logOwner == connection { logOwner = nil }
        if birthConnection == connection { return end() }
        change { if lifecycle.endHandover(ownedBy: connection) { lifecycle.markRunning() } }
        world.recorder?.guestChanged(self)
    }

    func end() {
        guard isAlive else { return }
        change { isAlive = false }
        world.recorder?.guestChanged(self)
    }

    func kill() {
        guard isAlive else { return }
        wasKilled = true
        end()
    }
}

/// A VM through its whole life, on whatever hosts it visits.
final class SimVM {
    let id: VMID
    let plan: VMPlan
    let spec: VMSpec
    let layout: GuestMemoryLayout
    let content: GuestContent

    init(id: VMID, plan: VMPlan, name: VMName, seed: UInt64) {
        self.id = id
        self.plan = plan
        guard let layout = GuestMemoryLayout(memory: plan.memory) else {
            fatalError("no layout for \(plan.memory)")
        }
        self.layout = layout
        spec = VMSpec(
            name: name, memory: plan.memory,
            downtimeLimit: DowntimeLimit(plan.downtimeLimit))
        content = GuestContent(
            pages: plan.pages(of: layout.pageCount, seed: seed), working: plan.workingPages,
            seed: seed)
    }
}
