import Foundation
import Host
import Synchronization
import Testing

@Suite("The operating system's things")
struct HostTests {
    @Test("A failed call names itself")
    func systemError() {
        #expect(throws: SystemError(call: "open(/nowhere/at/all)", code: ENOENT)) {
            try Descriptor.openFile(at: "/nowhere/at/all", flags: O_RDONLY)
        }
        #expect(
            SystemError(call: "open(x)", code: ENOENT).description
                == "open(x): No such file or directory")
    }

    @Test("Two mappings of a memory file see the same bytes, and a hole reads as zero")
    func memoryFile() throws {
        let file = try MemoryFile.createFixedSize(name: "test", bytes: 8192)
        let first = try Mapping(file, count: 8192)
        let second = try Mapping(file, count: 8192)
        unsafe first.bytes[5000] = 42
        #expect(unsafe second.bytes[5000] == 42)
        try MemoryFile.punchHole(in: file, offset: 4096, count: 4096)
        #expect(unsafe second.bytes[5000] == 0)
    }

    @Test("A memory file keeps its size; a growing one does not promise to")
    func sealedSize() throws {
        let file = try MemoryFile.createFixedSize(name: "test", bytes: 8192)
        #expect(MemoryFile.hasShrinkSeal(on: file))
        for size in [4096, 16384] {
            #expect(throws: SystemError(call: "ftruncate", code: EPERM)) {
                try file.truncateFile(toBytes: size)
            }
        }
        #expect(try !MemoryFile.hasShrinkSeal(on: MemoryFile.createGrowing(name: "test")))
        #expect(
            try !MemoryFile.hasShrinkSeal(on: Descriptor.openFile(at: "/dev/null", flags: O_RDONLY))
        )
    }

    @Test("A detached program gets a few words of the environment and no more")
    func detachedEnvironment() throws {
        let log = FileManager.default.temporaryDirectory.appending(path: "ferry-test-\(UUID())")
            .path
        defer { try? FileManager.default.removeItem(atPath: log) }
        let process = try DetachedProcess.startProgram(
            at: "/usr/bin/env", arguments: [], logPath: log)
        var status: Int32 = 0
        #expect(unsafe waitpid(process, &status, 0) == process)
        let names = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
            .map { String($0.prefix { $0 != "=" }) }
        #expect(names.contains("PATH"))
        let allowed: Set = ["PATH", "HOME", "LANG", "LD_LIBRARY_PATH"]
        #expect(names.allSatisfy { allowed.contains($0) || $0.hasPrefix("FERRY_") })
    }

    @Test("A thread runs its body under its name")
    func namedThread() throws {
        let name = Mutex("")
        let thread = try NamedThread(name: "ferry-test") {
            let text = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
            name.withLock { $0 = text ?? "" }
        }
        thread.joinThread()
        #expect(name.withLock { $0 } == "ferry-test\n")
    }

    @Test(
        "A socket address is an IP address and a port",
        arguments: ["127.0.0.1:7101", "[::1]:80", "0.0.0.0:0"])
    func socketAddress(text: String) {
        #expect(SocketAddress(text)?.description == text)
    }

    @Test(
        "A socket address refuses names and ports that are none",
        arguments: ["localhost:80", "127.0.0.1", "127.0.0.1:65536", "::1", "300.1.1.1:1", ":80"])
    func socketAddressRefuses(text: String) {
        #expect(SocketAddress(text) == nil)
    }

    @Test("TCP connects, and waits have an end")
    func tcp() throws {
        let listener = try TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0))
        let port = try TCPSocket.boundPort(of: listener)
        #expect(try TCPSocket.acceptConnection(on: listener, within: .milliseconds(1)) == nil)
        let client = try TCPSocket.openConnection(
            to: SocketAddress(ip: "127.0.0.1", port: port), within: .seconds(5))
        let server = try #require(try TCPSocket.acceptConnection(on: listener, within: .seconds(5)))
        try client.writeAllBytes([1, 2, 3])
        var bytes = [UInt8](repeating: 0, count: 8)
        let count = try unsafe bytes.withUnsafeMutableBytes {
            try unsafe server.readAvailable(into: $0)
        }
        #expect(bytes.prefix(count) == [1, 2, 3])
    }

    @Test("Nobody listening is an error that names the address")
    func refused() throws {
        let listener = try TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0))
        let address = SocketAddress(ip: "127.0.0.1", port: try TCPSocket.boundPort(of: listener))
        listener.shutDownSocket()
        #expect(throws: SystemError(call: "connect(\(address))", code: ECONNREFUSED)) {
            try TCPSocket.openConnection(to: address, within: .seconds(5))
        }
    }

    @Test("A Unix socket works under a path longer than its address holds, and passes descriptors")
    func unixSocket() throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "ferry-test-\(UUID())/\(String(repeating: "d", count: 150))").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer {
            try? FileManager.default.removeItem(
                atPath: URL(filePath: folder).deletingLastPathComponent().path)
        }
        let listener = try UnixSocket.openListener(at: folder + "/s")
        let client = try UnixSocket.openConnection(to: folder + "/s")
        let server = try #require(try TCPSocket.acceptConnection(on: listener, within: .seconds(5)))
        #expect(try UnixSocket.peerCredentials(of: server).pid == getpid())

        let file = try MemoryFile.createFixedSize(name: "test", bytes: 4096)
        try UnixSocket.sendBytes([7], attaching: [file, file], on: client)
        let (bytes, descriptors) = try UnixSocket.receiveBytes(upTo: 16, on: server)
        #expect(bytes == [7])
        #expect(descriptors.count == 2)
        #expect(try descriptors[0].sizeInBytes() == 4096)
    }
}
