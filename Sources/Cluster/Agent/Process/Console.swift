// A VM's serial console: its live output, its input, and the log of its earlier output.

import API
import Host
import Hummingbird
import NIOCore
import NIOPosix
import VMControl

/// A connection to a console's output.
struct Console: Sendable {
    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// - Parameter socket: connected to the ferry-vmm's console.sock.
    init(_ socket: Descriptor) async throws {
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .withConnectedSocket(socket.surrenderDuplicate()) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                }
            }
    }

    /// May be called on any thread and at any time; `copyOutput` then returns.
    func close() { channel.channel.close(promise: nil) }

    /// Returns when the VM ends, or after `close`. A slow client delays only itself: the ferry-vmm drops connections
    /// that do not take its output.
    func copyOutput(to writer: inout any ResponseBodyWriter) async throws {
        try await channel.executeThenClose { inbound, _ in
            for try await bytes in inbound { try await writer.write(bytes) }
        }
    }
}

enum ConsoleLog {
    /// Up to `count` bytes from the end of the log, older file first. Empty when nothing was logged yet.
    static func readLastBytes(of files: VMFiles, count: Int) throws(SystemError) -> [UInt8] {
        guard File.isPresent(at: files.consoleLog) else { return [] }
        let newest = try File.readLastBytes(at: files.consoleLog, count: count)
        guard newest.count < count, File.isPresent(at: files.consoleLogBefore) else {
            return newest
        }
        return try File.readLastBytes(at: files.consoleLogBefore, count: count - newest.count)
            + newest
    }
}

extension VirtualMachine {
    func openConsole() async throws -> Console {
        _ = try requireProcess()
        let path = files.consoleSocket
        let socket = try await runOnThread(named: "console-\(name)") { () throws(SystemError) in
            try UnixSocket.openConnection(to: path)
        }
        return try await Console(socket)
    }

    // These two are not inlined: the optimiser of Swift 6.3.1 crashes on such a call in a closure that throws any
    // error.

    /// Sends input as fast as the guest reads it: while the guest's buffer is full, this waits and sends the rest
    /// later. Throws when that takes too long; the input sent by then stays sent.
    @inline(never)
    func sendConsoleInput(_ bytes: [UInt8]) async throws(Problem) {
        let end = Instant.now + Timing.consoleInput
        var rest = bytes[...]
        while true {
            rest = rest.dropFirst(try await offerConsoleInput(Array(rest)))
            if rest.isEmpty { return }
            guard Instant.now < end, !Task.isCancelled else {
                throw Problem(
                    .wrongState,
                    detail:
                        "VM \(name) does not read its console: the last \(rest.count) of \(bytes.count) bytes were not sent"
                )
            }
            // After a cancellation the loop sends once more.
            try? await Task.sleep(for: Timing.consoleInputPoll)
        }
    }

    @inline(never)
    private func offerConsoleInput(_ bytes: [UInt8]) async throws(Problem) -> Int {
        let client = try requireProcess().client
        return try await sendRequest { () throws(VMMError) in
            try client.offerConsoleInput(bytes)
        }
    }
}

extension VMMClient {
    /// Returns how many bytes were taken before one was refused. Each byte is sent alone, because a refusal of several
    /// does not say how many of them were taken. Blocks.
    fileprivate func offerConsoleInput(_ bytes: [UInt8]) throws(VMMError) -> Int {
        for (index, byte) in bytes.enumerated() {
            do throws(VMMError) { try sendConsoleInput([byte]) } catch {
                guard case .refused(let refusal) = error, refusal.code == .wrongState else {
                    throw error
                }
                return index
            }
        }
        return bytes.count
    }
}
