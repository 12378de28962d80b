import Foundation
import Host
import Model
import Pulse
import Testing
import VMControl

/// The core of every migration, by hand: two ferry-vmm processes, memory copied while the guest runs.
@Suite(
    "A guest changes its process", .enabled(if: isKVMUsable), .timeLimit(.minutes(5)), .serialized)
struct HandoverTests {
    private let size = ["--name", "test", "--memory", "64MiB"]

    private func source(vcpus: Int) throws -> VMMUnderTest {
        try VMMUnderTest(
            size + [
                "--vcpus", "\(vcpus)", "--kernel", try #require(PulseImage.path),
                "--command-line",
                try PulseOptions(
                    fillBytes: 32 << 20, workingSetBytes: 4 << 20, period: .milliseconds(20)
                ).commandLine(),
            ])
    }

    @Test("It goes on at the destination, with memory copied by the dirty log", arguments: [1, 2])
    func moves(vcpus: Int) throws {
        let first = try source(vcpus: vcpus)
        let firstConsole = try first.console()
        try firstConsole.wait { $0.contains("pulse seq=5 ") ? () : nil }
        let second = try VMMUnderTest(size + ["--vcpus", "\(vcpus)", "--incoming"])
        let secondConsole = try second.console()
        let source = try first.connect()
        let destination = try second.connect()
        #expect(try destination.fetchStatus().state == .incoming)
        #expect(source.info.cpuFeatures == destination.info.cpuFeatures)

        try source.startDirtyLog()
        #expect(try source.fetchDirtyLog() == source.layout.pageCount)
        for _ in 0..<4 {
            try sendDirtyPages(of: source, to: destination)
            let beats = firstConsole.text.count { $0 == "\n" }
            try firstConsole.wait { $0.count { $0 == "\n" } > beats + 2 ? () : nil }
            #expect(try source.fetchDirtyLog() < source.layout.pageCount / 2)
        }
        try source.pauseGuest(forHandover: true)
        _ = try source.fetchDirtyLog()
        try sendDirtyPages(of: source, to: destination)
        try expectSameMemory(source, destination)
        try destination.loadState(from: source.saveState())
        try source.sealHandover()
        #expect(try destination.fetchStatus().isSealed)
        try destination.resumeGuest()
        try source.requestQuit()

        // A line may be cut in two by the move: its rest is on the other console.
        let rest = try firstConsole.readToEnd()
        let last = try #require(heartbeats(rest).last).sequence
        secondConsole.begin(with: String(rest.reversed().prefix { $0 != "\n" }.reversed()))
        try secondConsole.wait { $0.contains("pulse seq=\(last + 20) ") ? () : nil }
        try destination.sendConsoleInput(Array("verify\n".utf8))
        try secondConsole.wait { $0.contains("pulse verified pages=8192 errors=0 ") ? () : nil }
        let all = heartbeats(rest) + heartbeats(secondConsole.text)
        #expect(isContinuous(all))
        #expect(all.allSatisfy { $0.errors == 0 })
        try destination.requestQuit()
        #expect(try second.waitForExit().code == 0)
    }

    @Test("A handover's connection that is lost before the seal lets the guest run on")
    func resumesByItself() throws {
        let vmm = try source(vcpus: 1)
        let observer = try vmm.connect()
        do {
            let owner = try vmm.connect()
            try owner.pauseGuest(forHandover: true)
            var status = try observer.fetchStatus()
            // Answering takes processor time, too.
            status.cpuTime = .zero
            #expect(status == VMMStatus(state: .paused))
        }
        try waitUntil { try observer.fetchStatus().state != .paused }
        #expect(try observer.fetchStatus().state == .running)
    }

    @Test("A lost connection's throttle and dirty log end with it; another connection's stay")
    func undoesPreCopy() throws {
        let vmm = try source(vcpus: 1)
        let observer = try vmm.connect()
        do {
            let owner = try vmm.connect()
            try owner.startDirtyLog()
            try owner.throttleVCPUs(percent: 90)
            #expect(try observer.fetchDirtyLog() == observer.layout.pageCount)
        }
        try waitUntil { refusal { () throws(VMMError) in _ = try observer.fetchDirtyLog() } != nil }
        #expect(try observer.fetchStatus().state == .running)

        let other = try vmm.connect()
        try other.startDirtyLog()
        #expect(try other.fetchDirtyLog() == other.layout.pageCount)
        // Connections that come faster than ended ones are noticed are turned away at the limit.
        for _ in 0..<10 { try waitUntil { (try? vmm.connect().fetchStatus()) != nil } }
        // What a connection started that another starts afresh is the other's.
        do {
            let first = try vmm.connect()
            try first.startDirtyLog()
            try other.startDirtyLog()
        }
        for _ in 0..<100 { #expect(try other.fetchDirtyLog() > 0) }
    }

    @Test("After the seal a lost connection leaves it paused until somebody says resume")
    func staysSealed() throws {
        let vmm = try source(vcpus: 1)
        let observer = try vmm.connect()
        do {
            let owner = try vmm.connect()
            try owner.pauseGuest(forHandover: true)
            #expect(throws: VMMError.self) { try observer.sealHandover() }
            try owner.sealHandover()
        }
        // The owner's end is seen before a later connection's first answer to a second request.
        for _ in 0..<100 { #expect(try observer.fetchStatus().isSealed) }
        #expect(try observer.fetchStatus().state == .paused)
        try observer.resumeGuest()
        #expect(try observer.fetchStatus().state == .running)
        #expect(try !observer.fetchStatus().isSealed)
    }

    @Test("A paused guest whose handover is lost stays paused")
    func staysPaused() throws {
        let vmm = try source(vcpus: 1)
        let observer = try vmm.connect()
        try observer.pauseGuest()
        do { try vmm.connect().pauseGuest(forHandover: true) }
        for _ in 0..<100 { #expect(try observer.fetchStatus().state == .paused) }
    }

    @Test("An incoming vmm ends by itself when its agent goes before the state came")
    func incomingEnds() throws {
        let vmm = try VMMUnderTest(size + ["--incoming"])
        do { _ = try vmm.connect().fetchStatus() }
        let (code, exit) = try vmm.waitForExit()
        #expect(code == 0)
        #expect(exit.reason == .stopped)
        #expect(exit.detail.contains("no state arrived"))
    }

    @Test("An incoming vmm to which nobody connects ends by itself")
    func incomingForNobody() throws {
        let vmm = try VMMUnderTest(size + ["--incoming"])
        #expect(try vmm.waitForExit().exit.reason == .stopped)
    }

    @Test(
        "With its state loaded it waits, however often agents come and go; a bad state changes nothing"
    )
    func incomingStays() throws {
        let first = try source(vcpus: 1)
        let source = try first.connect()
        try source.pauseGuest()
        let state = try source.saveState()
        let second = try VMMUnderTest(size + ["--incoming"])
        do {
            let destination = try second.connect()
            #expect(throws: VMMError.self) { try destination.resumeGuest() }
            var damaged = state
            damaged[state.count / 2] ^= 1
            for bad in [damaged, Array(state.dropLast()), []] {
                let refusal = refusal { () throws(VMMError) in try destination.loadState(from: bad)
                }
                #expect(refusal?.code == .badState)
                #expect(refusal?.part.isEmpty == false)
                #expect(try destination.fetchStatus().state == .incoming)
            }
            copyMemory(from: source.memory, to: destination.memory)
            try destination.loadState(from: state)
        }
        for _ in 0..<10 { #expect(try second.connect().fetchStatus().state == .paused) }
        let agent = try second.connect()
        #expect(try agent.fetchStatus().isSealed)
        try agent.resumeGuest()
        let console = try second.console()
        try console.wait { heartbeats($0).count > 3 ? () : nil }
        #expect(heartbeats(console.text).allSatisfy { $0.errors == 0 })
    }

    @Test("Saved by one process, restored by another; options that contradict the file are refused")
    func saveAndRestore() throws {
        let first = try source(vcpus: 2)
        let console = try first.console()
        try console.wait { $0.contains("pulse seq=3 ") ? () : nil }
        let client = try first.connect()
        try client.pauseGuest()
        let path = first.path("saved")
        try client.saveMachine(to: Descriptor.openFile(at: path, flags: O_RDWR | O_CREAT))
        for option in [["--memory", "128MiB"], ["--vcpus", "1"]] {
            let refused = try VMMUnderTest(["--restore", path] + option)
            let (code, exit) = try refused.waitForExit()
            #expect(code == 1)
            #expect(exit.detail.contains(option[0]))
        }
        let identity = String(repeating: "1a", count: 16)
        let renamed = try VMMUnderTest(["--restore", path, "--paused", "--id", identity]).connect()
        #expect(renamed.info.id.description == identity)
        #expect(renamed.info.spec == client.info.spec)

        let second = try VMMUnderTest(["--restore", path, "--paused"])
        let restored = try second.connect()
        #expect(try restored.fetchStatus().state == .paused)
        #expect(restored.info.id == client.info.id)
        #expect(restored.info.spec == client.info.spec)
        let secondConsole = try second.console()
        try restored.resumeGuest()
        try secondConsole.wait { heartbeats($0).count > 3 ? () : nil }
        #expect(isContinuous(heartbeats(secondConsole.text)))
        #expect(heartbeats(secondConsole.text).allSatisfy { $0.errors == 0 })
    }

    /// Clears what the shared bits say and copies those pages.
    private func sendDirtyPages(of source: VMMClient, to destination: VMMClient) throws {
        let words = unsafe source.dirtyBits.bytes.bindMemory(to: UInt64.self)
        let wordsAtATime = 8
        for first in stride(from: 0, to: words.count, by: wordsAtATime) {
            let range = first..<min(words.count, first + wordsAtATime)
            guard range.contains(where: { unsafe words[$0] != 0 }) else { continue }
            try source.clearDirtyLog(pages: range.lowerBound * 64..<range.upperBound * 64)
            for word in range {
                for bit in 0..<64 where unsafe words[word] >> UInt64(bit) & 1 == 1 {
                    let offset = (word * 64 + bit) * pageBytes
                    unsafe (destination.memory.base + offset)
                        .copyMemory(from: source.memory.base + offset, byteCount: pageBytes)
                }
            }
        }
    }

    private func expectSameMemory(_ source: VMMClient, _ destination: VMMClient) throws {
        for page in 0..<source.layout.pageCount {
            let offset = page * pageBytes
            let isSame =
                unsafe memcmp(
                    source.memory.base + offset, destination.memory.base + offset, pageBytes) == 0
            if !isSame { Issue.record("page \(page) differs") }
        }
    }
}

private func heartbeats(_ text: some StringProtocol) -> [PulseHeartbeat] {
    text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().compactMap { line in
        if case .heartbeat(let heartbeat) = PulseLine(line) { heartbeat } else { nil }
    }
}
