import Foundation
import Host
import Model
import Pulse
import Testing
import VMControl
import Wire

private let spec = ["--name", "test", "--memory", "32MiB"]

private func pulseArguments(vcpus: Int = 1) throws -> [String] {
    let kernel = try #require(PulseImage.path)
    return spec + [
        "--vcpus", "\(vcpus)", "--kernel", kernel, "--command-line", try smallPulse.commandLine(),
    ]
}

@Suite("A ferry-vmm process", .enabled(if: isKVMUsable), .timeLimit(.minutes(5)))
struct ProcessTests {
    @Test("It serves its guest and ends when told to")
    func quits() throws {
        let vmm = try VMMUnderTest(pulseArguments() + ["--id", String(repeating: "1a", count: 16)])
        let client = try vmm.connect()
        #expect(client.info.id.description == String(repeating: "1a", count: 16))
        #expect(client.info.spec.name.text == "test")
        #expect(client.info.processID == vmm.processID)
        #expect(client.info.cpuFeatures.names.contains("sse2"))
        let console = try vmm.console()
        try console.wait { $0.contains("pulse seq=3 ") ? () : nil }
        try client.sendConsoleInput(Array("echo there\n".utf8))
        try console.wait { $0.contains("pulse echo there\n") ? () : nil }
        try console.type("echo here\n")
        try console.wait { $0.contains("pulse echo here\n") ? () : nil }
        #expect(try client.fetchStatus().cpuTime > .zero)
        try client.requestQuit()
        #expect(client.waitForEnd(within: .seconds(5)))
        let (code, exit) = try vmm.waitForExit()
        #expect(code == 0)
        #expect(exit.reason == .stopped)
        let log = try String(contentsOfFile: vmm.path("console.log"), encoding: .utf8)
        #expect(log.contains("pulse ready"))
        #expect(log.contains("pulse echo here"))
    }

    @Test("A guest's power off ends it; a connected agent can still ask why")
    func powerOff() throws {
        let vmm = try VMMUnderTest(pulseArguments())
        let client = try vmm.connect()
        let console = try vmm.console()
        try console.wait { $0.contains("pulse seq=2 ") ? () : nil }
        try console.type("poweroff\n")
        try waitUntil { try client.fetchStatus().exit != nil }
        #expect(try client.fetchStatus().state == .stopped)
        #expect(try client.fetchStatus().exit?.reason == .powerOff)
        let (code, exit) = try vmm.waitForExit()
        #expect(code == 0)
        #expect(exit.reason == .powerOff)
    }

    @Test("SIGTERM ends it cleanly")
    func terminates() throws {
        let vmm = try VMMUnderTest(pulseArguments())
        _ = try vmm.connect()
        vmm.terminate()
        let (code, exit) = try vmm.waitForExit()
        #expect(code == 0)
        #expect(exit.reason == .stopped)
    }

    @Test("An agent that comes and goes does not disturb the guest")
    func agentGoes() throws {
        let vmm = try VMMUnderTest(pulseArguments())
        for _ in 0..<20 { _ = try vmm.connect().fetchStatus() }
        let console = try vmm.console()
        try console.wait { $0.contains("pulse seq=10 ") ? () : nil }
        #expect(try vmm.connect().fetchStatus().state == .running)
    }

    @Test("It has no privileges left, on any of its threads")
    func confined() throws {
        let vmm = try VMMUnderTest(pulseArguments(vcpus: 2))
        _ = try vmm.connect()
        // A thread has its name once it ran.
        try vmm.console().wait { $0.contains("pulse seq=2 ") ? () : nil }
        let tasks = "/proc/\(vmm.processID)/task"
        let threads = try FileManager.default.contentsOfDirectory(atPath: tasks)
        var names: Set<String> = []
        for thread in threads {
            let status = try String(contentsOfFile: "\(tasks)/\(thread)/status", encoding: .utf8)
            let lines = Set(status.split(separator: "\n"))
            #expect(lines.contains("NoNewPrivs:\t1"))
            #expect(lines.contains("Seccomp:\t2"))
            #expect(lines.contains("CapEff:\t0000000000000000"))
            names.insert(String(lines.first { $0.hasPrefix("Name:") }?.dropFirst(6) ?? ""))
        }
        #expect(names.isSuperset(of: ["vcpu0", "vcpu1", "console", "control"]))
        let status = try String(
            contentsOfFile: "/proc/\(vmm.processID)/limits", encoding: .utf8)
        #expect(status.contains("Max core file size        0 "))
    }

    @Test("A kernel that is no kernel is refused in words, on standard error and in exit.json")
    func noKernel() throws {
        let vmm = try VMMUnderTest(spec + ["--kernel", "/bin/sh"])
        let (code, exit) = try vmm.waitForExit()
        #expect(code == 1)
        #expect(exit.reason == .hostFailure)
        #expect(exit.detail.contains("no PVH entry point"))
        #expect(vmm.errorText.contains("no PVH entry point"))
    }

    @Test(
        "Bytes that are no message get a refusal and close that connection only",
        arguments: [
            [UInt8](repeating: 0xff, count: 12),  // a body too long
            [0, 0, 0, 0, 1, 0, 9, 0, 7, 0, 0, 0],  // another version
            [0, 0, 0, 0, 99, 0, 1, 0, 7, 0, 0, 0],  // an unknown request
            [1, 0, 0, 0, 3, 0, 1, 0, 7, 0, 0, 0, 2],  // no Boolean
            [1, 0, 0, 0, 2, 0, 1, 0, 7, 0, 0, 0, 2],  // bytes left over
        ])
    func malformed(bytes: [UInt8]) throws {
        let vmm = try VMMUnderTest(pulseArguments())
        let client = try vmm.connect()
        let socket = try vmm.connectRaw()
        try UnixSocket.sendBytes(bytes, on: socket)
        let connection = VMMConnection(socket)
        let frame = try connection.receiveFrame(within: .seconds(5))
        guard case .refused(let refusal) = try VMMReply(kind: frame.header.kind, body: frame.body)
        else {
            Issue.record("no refusal")
            return
        }
        #expect(refusal.code == .badRequest)
        #expect(throws: ConnectionError.self) { try connection.receiveFrame(within: .seconds(5)) }
        #expect(try client.fetchStatus().state == .running)
    }

    @Test("What cannot be in its state is refused, and changes nothing")
    func wrongState() throws {
        let vmm = try VMMUnderTest(pulseArguments())
        let client = try vmm.connect()
        func code(_ body: () throws(VMMError) -> Void) -> VMMRefusal.Code? { refusal(body)?.code }
        #expect(code { () throws(VMMError) in _ = try client.saveState() } == .wrongState)
        #expect(code { () throws(VMMError) in try client.loadState(from: [1]) } == .wrongState)
        #expect(code { () throws(VMMError) in try client.sealHandover() } == .wrongState)
        #expect(code { () throws(VMMError) in _ = try client.fetchDirtyLog() } == .wrongState)
        try client.startDirtyLog()
        for pages in [1..<64, 0..<65, 0..<64 * 1024] {
            let code = code { () throws(VMMError) in try client.clearDirtyLog(pages: pages) }
            #expect(code == .badRequest)
        }
        try client.pauseGuest()
        #expect(code { () throws(VMMError) in try client.sealHandover() } == .wrongState)
        try client.resumeGuest()
        #expect(try client.fetchStatus().state == .running)
    }

    @Test("A second wrong option is a usage error")
    func usage() throws {
        let vmm = try VMMUnderTest(["--memory", "many"])
        #expect(vmm.wait() == 64)
        #expect(vmm.errorText.contains("--memory"))
    }
}
