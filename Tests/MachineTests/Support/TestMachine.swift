// A machine in the test's own process, and what it says on its console.

import Glibc
import Host
import KVM
import Machine
import Model
import Pulse
import Testing
import VMControl

/// Whether guests can run here at all.
let isKVMUsable = (try? KVMSystem.openDevice()) != nil

/// Collects console output and waits for what it should hold.
final class ConsoleRecord: Sendable {
    private let bytes = Monitor<[UInt8]>([])

    /// Without carriage returns: with the line feed they are one Character to Swift.
    func put(_ byte: UInt8) {
        if byte != UInt8(ascii: "\r") { bytes.updateState { $0.append(byte) } }
    }

    var text: String { bytes.readValue { String(decoding: $0, as: UTF8.self) } }

    /// Lines that are complete.
    var lines: [Substring] {
        Array(text.split(separator: "\n", omittingEmptySubsequences: false).dropLast())
    }

    /// What came after the last line's end.
    var unfinishedLine: String {
        String(text.split(separator: "\n", omittingEmptySubsequences: false).last ?? "")
    }

    /// Before anything else: the first part of a line that another console began.
    func begin(with text: String) { bytes.updateState { $0 = Array(text.utf8) + $0 } }

    /// Waits until the text has an answer for `body`.
    func wait<Value>(
        within limit: Duration = .seconds(20), _ body: (String) -> Value?
    ) throws -> Value {
        let end = Instant.now + limit
        let value = bytes.waitForValue(deadline: { _ in end }) {
            body(String(decoding: $0, as: UTF8.self))
        }
        return try #require(value, "console: \(text.suffix(300))")
    }

    func waitForHeartbeat(_ sequence: Int) throws {
        try wait { $0.contains("pulse seq=\(sequence) ") ? () : nil }
    }

    var heartbeats: [PulseHeartbeat] {
        lines.compactMap { line in
            if case .heartbeat(let heartbeat) = PulseLine(line) { heartbeat } else { nil }
        }
    }
}

/// Owns a machine for one test: its threads end with it.
final class TestMachine: Sendable {
    let machine: Machine
    let console = ConsoleRecord()

    init(
        _ boot: BootSource?, memory: ByteCount = .mebibytes(16), vcpus: Int = 1,
        incoming: Bool = false
    ) throws {
        let console = console
        let spec = VMSpec(name: try VMName("test"), memory: memory, vcpus: vcpus)
        machine = try Machine(
            MachineConfiguration(id: .random(), spec: spec, boot: boot), incoming: incoming,
            system: KVMSystem.openDevice(), console: { console.put($0) })
    }

    init(restoring file: Descriptor) throws {
        let console = console
        let reader = try SavedFileReader(file)
        machine = try Machine(
            restoring: reader, as: reader.header, boot: nil, system: KVMSystem.openDevice(),
            console: { console.put($0) })
    }

    convenience init(_ program: Program, memory: ByteCount = .mebibytes(16)) throws {
        try self.init(TinyKernel.source(TinyKernel.elf(program.code)), memory: memory)
    }

    deinit { machine.stopAllThreads() }

    /// Runs to the end and says why that came.
    func runToEnd() throws -> VMExit {
        try machine.resumeGuest()
        return try #require(
            machine.waitForEnd(within: .seconds(20)), "console: \(console.text.suffix(300))")
    }

    func type(_ text: String) {
        #expect(machine.enqueueConsoleInput(Array(text.utf8)) == text.utf8.count)
    }
}

/// A pulse guest's boot source.
func pulse(_ options: PulseOptions) throws -> BootSource {
    try BootSource.openFiles(
        kernelPath: try #require(PulseImage.path), initrdPath: nil,
        commandLine: options.commandLine())
}

/// Small enough to fill in a moment, written and checked all the time.
let smallPulse = PulseOptions(
    fillBytes: 8 << 20, workingSetBytes: 2 << 20, period: .milliseconds(20))

/// Numbers that follow one another without a gap or a repeat.
func isContinuous(_ heartbeats: [PulseHeartbeat]) -> Bool {
    zip(heartbeats, heartbeats.dropFirst()).allSatisfy { $1.sequence == $0.sequence + 1 }
}

/// Asks again and again, for a minute at most: there is no event to wait for.
func waitUntil(_ condition: () throws -> Bool) throws {
    let end = Instant.now + .seconds(60)
    while try !condition() {
        try #require(Instant.now < end, "it did not happen within a minute")
        _ = usleep(2000)
    }
}

/// Copies all guest memory, as a migration does.
func copyMemory(from source: Mapping, to destination: Mapping) {
    unsafe destination.bytes.copyMemory(from: UnsafeRawBufferPointer(source.bytes))
}

/// A memory file from its start again.
func rewound(_ file: Descriptor) throws -> Descriptor {
    try Descriptor.openFile(at: "/proc/self/fd/\(file.number)", flags: O_RDONLY)
}
