import Foundation
import Glibc
import Host
import Model
import Testing
import VMControl
import Wire

/// A client against a vmm that is played: what it gets wrong must not harm the agent.
@Suite("The agent's end of a control socket")
struct VMMClientTests {
    private static let memory = ByteCount.mebibytes(16)

    @Test("A late answer is not taken for the next one's; one that was never asked for is refused")
    func numbers() throws {
        let status = VMMStatus(state: .running)
        let vmm = try PlayedVMM { number in
            switch number {
            // Answered twice: the second comes when the next request waits.
            case 1: [(1, .done), (1, .done)]
            case 2: [(0, .done), (2, .status(status))]
            default: [(number + 1, .done)]
            }
        }
        let client = try vmm.connect()
        try client.resumeGuest()
        #expect(try client.fetchStatus() == status)
        #expect {
            try client.resumeGuest()
        } throws: { error in
            guard case VMMError.connection(.unexpectedReply) = error else { return false }
            return true
        }
    }

    @Test("Memory that is too small or may shrink is not mapped")
    func shrinking() throws {
        let bytes = Int(Self.memory.bytes)
        let short = try MemoryFile.createFixedSize(name: "short", bytes: bytes - 4096)
        let loose = try MemoryFile.createGrowing(name: "loose")
        try loose.truncateFile(toBytes: bytes)
        for file in [short, loose] {
            let vmm = try PlayedVMM(memoryFile: file)
            #expect(throws: VMMError.self) { try vmm.connect() }
        }
        let whole = try PlayedVMM(
            memoryFile: MemoryFile.createFixedSize(name: "whole", bytes: bytes))
        #expect(try whole.connect().memory.count == bytes)
    }

    @Test("A state that is shorter than it was said to be is refused")
    func shortState() throws {
        let vmm = try PlayedVMM { [($0, .state(bytes: 100))] }
        let client = try vmm.connect()
        #expect(throws: VMMError.self) { try client.saveState() }
    }
}

/// Serves one connection: `attach` as a vmm of 16 MiB does, everything else by a script.
private final class PlayedVMM: Sendable {
    private let folder: String
    private var path: String { folder + "/control.sock" }

    /// - Parameter answers: the frames that answer the request of a number. `.state` comes with a memory
    ///   file of 10 bytes.
    init(
        memoryFile: Descriptor? = nil,
        answers: @escaping @Sendable (UInt32) -> [(UInt32, VMMReply)] = { _ in [] }
    ) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "ferry-test-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let memory = ByteCount.mebibytes(16)
        let file =
            try memoryFile ?? MemoryFile.createFixedSize(name: "memory", bytes: Int(memory.bytes))
        let bits = try MemoryFile.createFixedSize(name: "bits", bytes: Int(memory.bytes) / 4096 / 8)
        let state = try MemoryFile.createFixedSize(name: "state", bytes: 10)
        let info = VMMInfo(
            id: VMID(high: 1, low: 2), processID: 77,
            spec: VMSpec(name: try VMName("played"), memory: memory),
            cpuFeatures: CPUFeatures(["sse2"]), status: VMMStatus(state: .running))
        let listener = try UnixSocket.openListener(at: folder + "/control.sock")
        _ = try NamedThread(name: "played-vmm") {
            // The client's end closes the connection, and with it this thread ends.
            guard let socket = try? UnixSocket.acceptConnection(on: listener) else { return }
            let connection = VMMConnection(socket)
            while let frame = try? connection.receiveFrame(within: .seconds(60)) {
                let number = frame.header.number
                if number == 0 {
                    let reply = VMMReply.attached(info).encodeFrame(number: 0)
                    try? connection.sendFrame(reply, with: [file, bits])
                    continue
                }
                for (number, reply) in answers(number) {
                    var files: [Descriptor] = []
                    if case .state = reply { files = [state] }
                    try? connection.sendFrame(reply.encodeFrame(number: number), with: files)
                }
            }
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func connect() throws -> VMMClient { try VMMClient(socketPath: path) }
}
