// A VM's serial console: its output as it comes, its input, and the log of what came before.

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

    /// Any thread, any time; `copy` then returns.
    func close() { channel.channel.close(promise: nil) }

    /// Returns when the VM ends, or after `close`. A client that does not keep up holds back only itself: the
    /// ferry-vmm drops connections that do not take its output.
    func copy(to writer: inout any ResponseBodyWriter) async throws {
        try await channel.executeThenClose { inbound, _ in
            for try await bytes in inbound { try await writer.write(bytes) }
        }
    }
}

enum ConsoleLog {
    /// Up to `count` bytes from the end of the log, older file first. None when nothing was logged yet.
    static func tail(_ files: VMFiles, count: Int) throws(SystemError) -> [UInt8] {
        guard File.isThere(files.consoleLog) else { return [] }
        let newest = try File.tail(files.consoleLog, count: count)
        guard newest.count < count, File.isThere(files.consoleLogBefore) else { return newest }
        return try File.tail(files.consoleLogBefore, count: count - newest.count) + newest
    }
}

extension VirtualMachine {
    func openConsole() async throws -> Console {
        _ = try live()
        let path = files.consoleSocket
        let socket = try await onThread("console-\(name)") { () throws(SystemError) in
            try UnixSocket.connect(to: path)
        }
        return try await Console(socket)
    }

    // These two are not inlined: the optimiser of Swift 6.3.1 crashes on such a call in a closure that throws any
    // error.

    /// Gives the guest input at its own pace: while its buffer is full, this waits for a moment and goes on with
    /// the rest. Throws when that took too long: what was taken by then was taken.
    @inline(never)
    func sendConsoleInput(_ bytes: [UInt8]) async throws(Problem) {
        let end = Instant.now + Limits.consoleInput
        var rest = bytes[...]
        while true {
            rest = rest.dropFirst(try await offerConsoleInput(Array(rest)))
            if rest.isEmpty { return }
            guard Instant.now < end, !Task.isCancelled else {
                throw Problem(
                    .wrongState,
                    "VM \(name) does not read its console: the last \(rest.count) of \(bytes.count) bytes were not taken"
                )
            }
            // Cancelled, it looks once more.
            try? await Task.sleep(for: Limits.consoleInputPoll)
        }
    }

    @inline(never)
    private func offerConsoleInput(_ bytes: [UInt8]) async throws(Problem) -> Int {
        let client = try live().client
        return try await control { () throws(VMMError) in try client.offerConsoleInput(bytes) }
    }
}

extension VMMClient {
    /// How many bytes were taken before one was refused. Each goes alone: a refusal of several does not say in a
    /// number how many of them were taken. Blocks.
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
