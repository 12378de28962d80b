// The two faces of a simulated ferry-vmm: over control connections, as the agent's own guests are.

import Glibc
import Host
import Migration
import Model
import VMControl

/// A control connection from an agent to a ferry-vmm. `@unchecked`: whoever holds the baton may touch it.
final class VMMConnection: @unchecked Sendable {
    let vmm: SimVMM
    let id: ConnectionID
    private let world: World
    private let runtime: SimRuntime
    private var isOpen = true

    init(_ vmm: SimVMM, _ world: World, _ runtime: SimRuntime) {
        self.vmm = vmm
        self.world = world
        self.runtime = runtime
        id = world.newConnectionID()
        runtime.process.whenItDies { [weak self] in self?.close() }
    }

    deinit { close() }

    /// The guest was changed without a request.
    func observe() { world.recorder?.guestChanged(vmm) }

    func close() {
        guard isOpen else { return }
        isOpen = false
        vmm.connectionEnded(id)
    }

    /// One request: it takes time, and fails when one of the two ends meanwhile.
    func ask(_ name: StaticString, _ request: () -> Bool = { true }) throws(GuestError) {
        world.moment("\(name)")
        do { try runtime.sleep(world.plan.guestCall, name) } catch {
            throw GuestError(operation: "\(name)", detail: "\(error)")
        }
        guard vmm.isAlive, isOpen else {
            throw GuestError(operation: "\(name)", detail: "the VM's process is gone")
        }
        let isDone = request()
        world.recorder?.guestChanged(vmm)
        guard isDone else {
            throw GuestError(operation: "\(name)", detail: "not in state \(vmm.lifecycle.state)")
        }
        world.moment("after \(name)")
        // Killed with the answer on its way.
        guard !runtime.process.isDead, vmm.isAlive else {
            throw GuestError(operation: "\(name)", detail: "the connection is gone")
        }
    }
}

/// The VM as the source of a migration sees it.
final class SimOutgoing: SourceGuest {
    private let connection: VMMConnection
    private let plant: Plant

    init(_ connection: VMMConnection, plant: Plant) {
        self.connection = connection
        self.plant = plant
    }

    private var vmm: SimVMM { connection.vmm }
    var spec: VMSpec { vmm.vm.spec }
    var cpuFeatures: CPUFeatures { CPUFeatures(["fpu", "sse2"]) }
    var layout: GuestMemoryLayout { vmm.layout }
    var memory: Mapping { vmm.memory }
    var memoryFile: Descriptor { vmm.memoryFile }
    var dirtyBits: Mapping { vmm.dirtyBits }

    func startDirtyLog() throws(GuestError) {
        try connection.ask("startDirtyLog") {
            vmm.startDirtyLog(by: connection.id)
            return true
        }
    }

    func fetchDirtyLog() throws(GuestError) -> Int {
        var count = 0
        try connection.ask("fetchDirtyLog") {
            count = vmm.fetchDirtyLog()
            return true
        }
        return count
    }

    func clearDirtyLog(pages: Range<Int>) throws(GuestError) {
        try connection.ask("clearDirtyLog") {
            vmm.clearDirtyLog(pages)
            if plant == .clearsTooMuch { vmm.forgetDirtyPages() }
            return true
        }
    }

    func stopDirtyLog() throws(GuestError) {
        try connection.ask("stopDirtyLog") {
            vmm.stopDirtyLog()
            return true
        }
    }

    func throttleVCPUs(percent: Int) throws(GuestError) {
        try connection.ask("throttle") {
            vmm.throttle(percent, by: connection.id)
            return true
        }
    }

    func pauseForHandover() throws(GuestError) {
        try connection.ask("pauseForHandover") {
            guard [.running, .paused].contains(vmm.lifecycle.state) else { return false }
            if plant != .pausesTooLate { vmm.pause(for: connection.id) }
            return true
        }
    }

    func saveState() throws(GuestError) -> [UInt8] {
        try connection.ask("saveState") {
            if plant == .pausesTooLate { vmm.pause(for: connection.id) }
            return vmm.lifecycle.state == .paused
        }
        return [UInt8](repeating: 7, count: vmm.vm.plan.stateBytes)
    }

    func sealForHandover() throws(GuestError) {
        if plant == .forgetsToSeal { return try connection.ask("seal") }
        try connection.ask("seal") { vmm.seal(by: connection.id) }
    }

    func resumeExecution() throws(GuestError) { try connection.ask("resume") { vmm.resume() } }
}

/// The VM as its destination sees it arrive.
final class SimIncoming: DestinationGuest {
    let connection: VMMConnection
    private let plant: Plant

    init(_ connection: VMMConnection, plant: Plant) {
        self.connection = connection
        self.plant = plant
    }

    private var vmm: SimVMM { connection.vmm }
    var layout: GuestMemoryLayout { vmm.layout }
    var memory: Mapping { vmm.memory }
    var memoryFile: Descriptor { vmm.memoryFile }

    func loadDeviceState(from bytes: [UInt8]) throws(GuestError) {
        try connection.ask("loadState") {
            bytes.count == vmm.vm.plan.stateBytes && vmm.load()
        }
        if plant == .runsWhenLoaded { _ = vmm.resume() }
        connection.observe()
    }

    func checkIsReady() throws(GuestError) {
        try connection.ask("status") { vmm.lifecycle.state == .paused && vmm.isSealed }
    }

    func resumeExecution() throws(GuestError) {
        try connection.ask("resume arrived") { vmm.resume() }
    }

    func discardGuest() {
        // A killed agent ends nobody's process.
        do { try connection.ask("quit") } catch { return }
        vmm.end()
    }
}
