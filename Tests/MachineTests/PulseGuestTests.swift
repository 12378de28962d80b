import Glibc
import Host
import Machine
import Model
import Pulse
import Testing
import VMControl

@Suite("The pulse guest", .enabled(if: isKVMUsable), .timeLimit(.minutes(5)), .serialized)
struct PulseGuestTests {
    @Test("It boots, beats without errors, and hears commands", arguments: [1, 2])
    func boots(vcpus: Int) throws {
        let guest = try TestMachine(pulse(smallPulse), memory: .mebibytes(32), vcpus: vcpus)
        try guest.machine.resumeGuest()
        try guest.console.waitForHeartbeat(5)
        guest.type("echo hello\n")
        try guest.console.wait { $0.contains("pulse echo hello\n") ? () : nil }
        guest.type("verify\n")
        try guest.console.wait { $0.contains("pulse verified pages=2048 errors=0 ") ? () : nil }
        #expect(guest.console.lines.contains { $0.contains("ready cpus=\(vcpus) ") })
        #expect(isContinuous(guest.console.heartbeats))
        guest.type("poweroff\n")
        #expect(guest.machine.waitForEnd(within: .seconds(10))?.reason == .powerOff)
    }

    @Test("It reboots by itself and starts anew")
    func reboots() throws {
        let guest = try TestMachine(pulse(smallPulse), memory: .mebibytes(32))
        try guest.machine.resumeGuest()
        try guest.console.waitForHeartbeat(3)
        guest.type("reboot\n")
        try guest.console.wait { text in
            let starts = text.split(separator: "\n").count { $0.hasPrefix("pulse ready ") }
            return starts == 2 && text.contains("pulse reboot\n") ? () : nil
        }
        #expect(guest.machine.status.state == .running)
    }

    @Test("Paused it stands still, resumed it goes on", arguments: [1, 2])
    func pauses(vcpus: Int) throws {
        let guest = try TestMachine(pulse(smallPulse), memory: .mebibytes(32), vcpus: vcpus)
        try guest.machine.resumeGuest()
        for round in 1...20 {
            try guest.console.waitForHeartbeat(round * 2)
            try guest.machine.pauseGuest()
            let before = unsafe crc32cChecksum(
                of: UnsafeRawBufferPointer(guest.machine.memory.mapping.bytes))
            #expect(guest.machine.status.state == .paused)
            let after = unsafe crc32cChecksum(
                of: UnsafeRawBufferPointer(guest.machine.memory.mapping.bytes))
            #expect(before == after)
            try guest.machine.resumeGuest()
        }
        try guest.console.waitForHeartbeat(50)
        #expect(guest.console.heartbeats.allSatisfy { $0.errors == 0 })
        #expect(isContinuous(guest.console.heartbeats))
    }

    @Test(
        "Its state moves to another machine, and it goes on as if nothing had been",
        arguments: [1, 2])
    func moves(vcpus: Int) throws {
        var guest = try TestMachine(pulse(smallPulse), memory: .mebibytes(32), vcpus: vcpus)
        try guest.machine.resumeGuest()
        var heartbeats: [PulseHeartbeat] = []
        for round in 1...5 {
            try guest.console.waitForHeartbeat(round * 4)
            try guest.machine.pauseGuest()
            let next = try TestMachine(nil, memory: .mebibytes(32), vcpus: vcpus, incoming: true)
            copyMemory(from: guest.machine.memory.mapping, to: next.machine.memory.mapping)
            try next.machine.loadState(from: guest.machine.saveState())
            #expect(next.machine.status.state == .paused)
            #expect(next.machine.status.isSealed)
            heartbeats += guest.console.heartbeats
            // A line may be cut in two by the move: its rest is on the other console.
            next.console.begin(with: guest.console.unfinishedLine)
            try next.machine.resumeGuest()
            guest = next
        }
        try guest.console.waitForHeartbeat(30)
        guest.type("verify\n")
        try guest.console.wait { $0.contains("pulse verified pages=2048 errors=0 ") ? () : nil }
        heartbeats += guest.console.heartbeats
        #expect(heartbeats.allSatisfy { $0.errors == 0 })
        #expect(isContinuous(heartbeats))
        #expect(zip(heartbeats, heartbeats.dropFirst()).allSatisfy { $0.time < $1.time })
    }

    @Test("Saved to a file and restored it goes on", arguments: [1, 2])
    func saves(vcpus: Int) throws {
        let guest = try TestMachine(pulse(smallPulse), memory: .mebibytes(32), vcpus: vcpus)
        try guest.machine.resumeGuest()
        try guest.console.wait { $0.contains("pulse filled ") ? () : nil }
        try guest.machine.pauseGuest()
        let file = try MemoryFile.createGrowing(name: "test-saved")
        try guest.machine.saveMachine(to: file)
        // 8 MiB are filled; the rest is zero and left out.
        #expect(try file.sizeInBytes() > 8 << 20)
        #expect(try file.sizeInBytes() < 10 << 20)

        let restored = try TestMachine(restoring: rewound(file))
        #expect(restored.machine.id == guest.machine.id)
        // What it was booted from is not in the file.
        var spec = guest.machine.spec
        (spec.kernel, spec.commandLine) = (.unknown, spec.commandLine ?? "")
        #expect(restored.machine.spec == spec)
        #expect(restored.machine.status.state == .paused)
        #expect(!restored.machine.status.isSealed)
        let last = guest.console.heartbeats.last?.sequence ?? 0
        restored.console.begin(with: guest.console.unfinishedLine)
        try restored.machine.resumeGuest()
        try restored.console.waitForHeartbeat(last + 5)
        #expect(restored.console.heartbeats.first?.sequence == last + 1)
        #expect(restored.console.heartbeats.allSatisfy { $0.errors == 0 })
        // Without a kernel's file here, a reset is refused and the guest unharmed.
        #expect(throws: VMMRefusal.self) { try restored.machine.resetGuest() }
        #expect(restored.machine.status.state == .running)
    }

    @Test("Held back it runs for a small part of the time, and let go it runs as before")
    func throttles() throws {
        let guest = try TestMachine(pulse(flatOutPulse), memory: .mebibytes(32))
        try guest.machine.resumeGuest()
        try guest.console.waitForHeartbeat(5)
        try guest.machine.throttleVCPUs(percent: 90)
        try guest.console.waitForHeartbeat((guest.console.heartbeats.last?.sequence ?? 0) + 1)
        // A tenth is its share; a busy host gives it less, and nothing gives it half.
        #expect(cpuShare(of: guest) < 0.5)
        try guest.machine.throttleVCPUs(percent: 0)
        // However busy the host is, at some time there is more than a held back guest could have.
        try waitUntil { cpuShare(of: guest) > 0.3 }
        // A held back guest pauses all the same.
        try guest.machine.throttleVCPUs(percent: 99)
        try guest.machine.pauseGuest()
        try guest.machine.resumeGuest()
    }

    @Test("It is let go when the connection that held it back ends, and not when another does")
    func letsGo() throws {
        let guest = try TestMachine(pulse(flatOutPulse), memory: .mebibytes(32))
        try guest.machine.resumeGuest()
        try guest.console.waitForHeartbeat(5)
        try guest.machine.throttleVCPUs(percent: 90, by: ConnectionID(1))
        guest.machine.handleConnectionEnd(of: ConnectionID(2))
        try guest.console.waitForHeartbeat((guest.console.heartbeats.last?.sequence ?? 0) + 1)
        #expect(cpuShare(of: guest) < 0.5)
        guest.machine.handleConnectionEnd(of: ConnectionID(1))
        try waitUntil { cpuShare(of: guest) > 0.3 }
    }

    /// vCPU time for each second of real time, over one second.
    private func cpuShare(of guest: TestMachine) -> Double {
        let start = Instant.now
        let cpuTime = guest.machine.status.cpuTime
        _ = usleep(1_000_000)
        return (guest.machine.status.cpuTime - cpuTime) / (Instant.now - start)
    }

    private var flatOutPulse: PulseOptions {
        var options = smallPulse
        options.rate = .flatOut
        return options
    }
}
