// A leased guest runs for as long as its lease, not longer: with nobody there, after its process stood still, paused.

import Glibc
import Host
import Machine
import Model
import Pulse
import Testing
import VMControl

@Suite("A guest's lease")
struct GuestLeaseTests {
    @Test(
        "It allows nothing before the first word, becomes longer, never shorter, and ends for good")
    func life() {
        let lease = GuestLease(isNeeded: true)
        #expect(!lease.allowsRunning)
        #expect(!lease.hasEnded)
        let far = BootInstant.now + .seconds(1000)
        #expect(lease.extendDeadline(to: far) == .done)
        #expect(lease.allowsRunning)
        #expect(lease.extendDeadline(to: .now + .seconds(5)) == .done)
        #expect(lease.until == far)
        #expect(lease.extendDeadline(to: far + .seconds(1)) == .done)
        #expect(lease.until == far + .seconds(1))

        let short = GuestLease(isNeeded: true)
        let end = BootInstant.now + .milliseconds(5)
        #expect(short.extendDeadline(to: end) == .done)
        BootInstant.sleepThread(until: end)
        #expect(!short.allowsRunning)
        #expect(short.hasEnded)
        #expect(short.extendDeadline(to: far) == .hasEnded)
        #expect(!short.allowsRunning)
    }

    @Test("Who needs none runs without")
    func notNeeded() { #expect(GuestLease(isNeeded: false).allowsRunning) }
}

@Suite("A leased ferry-vmm", .enabled(if: isKVMUsable), .timeLimit(.minutes(2)))
struct LeaseTests {
    private func start(_ more: [String] = ["--paused"]) throws -> VMMUnderTest {
        try VMMUnderTest(
            [
                "--name", "test", "--memory", "32MiB", "--leased", "--kernel",
                try #require(PulseImage.path), "--command-line", smallPulse.commandLine(),
            ] + more)
    }

    private func expectEnd(of vmm: VMMUnderTest, at deadline: BootInstant) throws {
        let (code, exit) = try vmm.waitForExit()
        #expect(BootInstant.now >= deadline)
        #expect(BootInstant.now - deadline < .seconds(10))
        #expect(code == 1)
        #expect(exit.reason == .leaseExpired)
        #expect(exit.detail.contains("lease ended"))
    }

    @Test("It does not run before it has a lease, and ends by itself when nobody makes that longer")
    func ends() throws {
        let vmm = try start()
        let deadline: BootInstant
        do {
            let client = try vmm.connect()
            #expect(
                refusal { () throws(VMMError) in try client.resumeGuest() }?.code == .wrongState)
            #expect(
                refusal { () throws(VMMError) in
                    try client.extendLease(until: .now + .seconds(100_000))
                }?.code == .badRequest)
            deadline = .now + .milliseconds(1500)
            try client.extendLease(until: deadline)
            // An earlier one changes nothing.
            try client.extendLease(until: .now + .milliseconds(1))
            try client.resumeGuest()
            let console = try vmm.console()
            try console.wait { $0.contains("pulse seq=2 ") ? () : nil }
            #expect(try client.fetchStatus().state == .running)
        }
        // Nobody is connected any more.
        try expectEnd(of: vmm, at: deadline)
    }

    @Test("A longer lease keeps it running; it ends with the last")
    func extended() throws {
        let vmm = try start()
        let client = try vmm.connect()
        let first = BootInstant.now + .milliseconds(600)
        try client.extendLease(until: first)
        try client.resumeGuest()
        let deadline = BootInstant.now + .milliseconds(2500)
        try client.extendLease(until: deadline)
        BootInstant.sleepThread(until: first + .milliseconds(300))
        let console = try vmm.console()
        try console.wait { $0.contains("pulse seq=") ? () : nil }
        #expect(try client.fetchStatus().state == .running)
        BootInstant.sleepThread(until: deadline)
        #expect(client.waitForEnd(within: .seconds(10)))
        try expectEnd(of: vmm, at: deadline)
    }

    @Test("A paused one ends as well, and one that waits for its state")
    func standingStill() throws {
        for more in [["--paused"], ["--incoming"]] {
            let vmm = try start(more)
            let client = try vmm.connect()
            let deadline = BootInstant.now + .milliseconds(300)
            try client.extendLease(until: deadline)
            try waitUntil { try client.fetchStatus().exit != nil }
            #expect(try client.fetchStatus().state == .failed)
            #expect(try client.fetchStatus().exit?.reason == .leaseExpired)
            #expect(refusal { () throws(VMMError) in try client.resumeGuest() } != nil)
            #expect(
                refusal { () throws(VMMError) in try client.extendLease(until: .now + .seconds(9)) }
                    != nil)
            try expectEnd(of: vmm, at: deadline)
        }
    }

    @Test("One whose process stood still past its lease's end does not run on")
    func stoppedProcess() throws {
        let vmm = try start()
        let client = try vmm.connect()
        let deadline = BootInstant.now + .seconds(2)
        try client.extendLease(until: deadline)
        try client.resumeGuest()
        let console = try vmm.console()
        try console.wait { $0.contains("pulse seq=3 ") ? () : nil }
        #expect(kill(vmm.processID, SIGSTOP) == 0)
        BootInstant.sleepThread(until: deadline + .milliseconds(500))
        let before = try heartbeats(vmm)
        #expect(kill(vmm.processID, SIGCONT) == 0)
        try expectEnd(of: vmm, at: deadline)
        // What it had said and was not written yet may still come.
        #expect(try heartbeats(vmm) - before <= 1)
    }

    private func heartbeats(_ vmm: VMMUnderTest) throws -> Int {
        let log = try File.readContents(at: vmm.path("console.log"), limit: 1 << 22)
        return String(decoding: log, as: UTF8.self).split(separator: "\n")
            .count { $0.hasPrefix("pulse seq=") }
    }

    @Test("One that is not leased takes no lease, and needs none")
    func notLeased() throws {
        let vmm = try VMMUnderTest([
            "--name", "test", "--memory", "32MiB", "--kernel", try #require(PulseImage.path),
            "--command-line", smallPulse.commandLine(),
        ])
        let client = try vmm.connect()
        #expect(
            refusal { () throws(VMMError) in try client.extendLease(until: .now + .milliseconds(1))
            }?
            .code == .wrongState)
        #expect(try client.fetchStatus().state == .running)
        try client.requestQuit()
        #expect(try vmm.waitForExit().code == 0)
    }
}
