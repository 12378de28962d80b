import Host
import Machine
import Model
import Pulse
import Testing
import VMControl

@Suite("The pulse guest", .enabled(if: isKVMUsable), .timeLimit(.minutes(2)), .serialized)
struct PulseGuestTests {
    @Test("It boots, beats without errors, and hears commands", arguments: [1, 2])
    func boots(vcpus: Int) throws {
        let guest = try TestMachine(pulse(smallPulse), memory: .mebibytes(32), vcpus: vcpus)
        try guest.machine.resume()
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
        try guest.machine.resume()
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
        try guest.machine.resume()
        for round in 1...20 {
            try guest.console.waitForHeartbeat(round * 2)
            try guest.machine.pause()
            let before = unsafe crc32c(
                of: UnsafeRawBufferPointer(guest.machine.memory.mapping.bytes))
            #expect(guest.machine.status.state == .paused)
            let after = unsafe crc32c(
                of: UnsafeRawBufferPointer(guest.machine.memory.mapping.bytes))
            #expect(before == after)
            try guest.machine.resume()
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
        try guest.machine.resume()
        var heartbeats: [PulseHeartbeat] = []
        for round in 1...5 {
            try guest.console.waitForHeartbeat(round * 4)
            try guest.machine.pause()
            let next = try TestMachine(nil, memory: .mebibytes(32), vcpus: vcpus, incoming: true)
            copyMemory(from: guest.machine.memory.mapping, to: next.machine.memory.mapping)
            try next.machine.loadState(guest.machine.saveState())
            #expect(next.machine.status.state == .paused)
            #expect(next.machine.status.isSealed)
            heartbeats += guest.console.heartbeats
            // A line may be cut in two by the move: its rest is on the other console.
            next.console.begin(with: guest.console.unfinishedLine)
            try next.machine.resume()
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
        try guest.machine.resume()
        try guest.console.wait { $0.contains("pulse filled ") ? () : nil }
        try guest.machine.pause()
        let file = try MemoryFile.create(name: "test-saved", bytes: 0)
        try guest.machine.save(to: file)
        // 8 MiB are filled; the rest is zero and left out.
        #expect(try file.size() > 8 << 20)
        #expect(try file.size() < 10 << 20)

        let restored = try TestMachine(restoring: rewound(file))
        #expect(restored.machine.id == guest.machine.id)
        #expect(restored.machine.spec == guest.machine.spec)
        #expect(restored.machine.status.state == .paused)
        #expect(!restored.machine.status.isSealed)
        let last = guest.console.heartbeats.last?.sequence ?? 0
        restored.console.begin(with: guest.console.unfinishedLine)
        try restored.machine.resume()
        try restored.console.waitForHeartbeat(last + 5)
        #expect(restored.console.heartbeats.first?.sequence == last + 1)
        #expect(restored.console.heartbeats.allSatisfy { $0.errors == 0 })
        // Without a kernel's file here, a reset is refused and the guest unharmed.
        #expect(throws: VMMRefusal.self) { try restored.machine.reset() }
        #expect(restored.machine.status.state == .running)
    }

    @Test("Held back it writes less, and lets go it writes as before")
    func throttles() throws {
        var options = smallPulse
        options.rate = .flatOut
        let guest = try TestMachine(pulse(options), memory: .mebibytes(32))
        try guest.machine.resume()
        try guest.console.waitForHeartbeat(5)
        let free = try cpuShare(of: guest, heartbeats: 10)
        try guest.machine.throttle(percent: 80)
        let held = try cpuShare(of: guest, heartbeats: 10)
        try guest.machine.throttle(percent: 0)
        let freed = try cpuShare(of: guest, heartbeats: 10)
        #expect(held < free * 0.5)
        #expect(freed > held * 1.5)
        // A held back guest pauses all the same.
        try guest.machine.throttle(percent: 99)
        try guest.machine.pause()
        try guest.machine.resume()
    }

    /// vCPU time for each second of real time, over a number of heartbeats.
    private func cpuShare(of guest: TestMachine, heartbeats: Int) throws -> Double {
        let start = Instant.now
        let cpuTime = guest.machine.status.cpuTime
        let last = guest.console.heartbeats.last?.sequence ?? 0
        try guest.console.waitForHeartbeat(last + heartbeats)
        return (guest.machine.status.cpuTime - cpuTime) / (Instant.now - start)
    }
}
