// The guest's serial console outside: a log file and the clients of console.sock.
//
// vCPU threads only append to a bounded buffer. One thread, "console", writes it to the log and to every
// client, and carries the clients' input to the guest. The guest waits for nobody: a client that does not
// read is dropped, and so is output beyond the buffer while the disk does not take it. Input waits instead:
// a client is not read from while the guest has no room.

import Glibc
package import Host
import Synchronization

package final class Console: Sendable {
    private struct Output: Sendable {
        var bytes: [UInt8] = []
        var isFinished = false
    }

    private let output = Mutex(Output())
    private let wake: WakeEvent
    private let thread = Mutex<NamedThread?>(nil)

    package init() throws(SystemError) {
        wake = try WakeEvent()
    }

    /// Takes a byte of output; on vCPU threads.
    package func appendOutput(_ byte: UInt8) {
        let wasEmpty = output.withLock { output in
            guard output.bytes.count < Limits.consoleOutputBytesMax else { return false }
            output.bytes.append(byte)
            return output.bytes.count == 1
        }
        if wasEmpty { wake.signalEvent() }
    }

    /// - Parameter offer: gives input to the guest and returns how much it took.
    package func startServing(
        socket listener: Descriptor, logPath: String,
        offer: @escaping @Sendable (ArraySlice<UInt8>) -> Int
    ) throws(SystemError) {
        let log = try ConsoleLog(path: logPath)
        let started = try NamedThread(name: "console") { [self] in
            var multiplexer = ConsoleMultiplexer(
                wake: wake, listener: listener, log: log, offer: offer)
            var isFinished = false
            while !isFinished {
                let arrived = output.withLock { output in
                    defer { output.bytes.removeAll(keepingCapacity: true) }
                    return output
                }
                isFinished = arrived.isFinished
                multiplexer.broadcastOutput(arrived.bytes)
                if !isFinished { multiplexer.serveUntilNextEvent() }
            }
        }
        thread.withLock { $0 = started }
    }

    /// Returns when all output so far is in the log.
    package func finishOutput() {
        output.withLock { $0.isFinished = true }
        wake.signalEvent()
        let thread = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        thread?.joinThread()
    }
}

/// What the console thread alone owns.
private struct ConsoleMultiplexer {
    private struct Client {
        let socket: Descriptor
        /// Input that the guest had no room for.
        var input: ArraySlice<UInt8> = []
        /// Output that the socket had no room for.
        var output: ArraySlice<UInt8> = []

        /// Sends what the socket takes; false when the client is gone or too far behind.
        mutating func sendOutput(_ bytes: [UInt8]) -> Bool {
            output += bytes
            guard !output.isEmpty else { return true }
            let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
            let sent = unsafe output.withUnsafeBytes {
                unsafe Glibc.send(socket.number, $0.baseAddress, $0.count, flags)
            }
            if sent < 0, errno != EAGAIN { return false }
            output = output.dropFirst(max(0, sent))
            return output.count <= Limits.consoleBacklogBytesMax
        }
    }

    let wake: WakeEvent
    let listener: Descriptor
    var log: ConsoleLog
    let offer: @Sendable (ArraySlice<UInt8>) -> Int
    private var clients: [Client] = []
    private var logIsBroken = false

    private static let inputBytes = 4096
    /// How soon input that the guest had no room for is offered again.
    private static let retryMilliseconds: Int32 = 10

    init(
        wake: WakeEvent, listener: Descriptor, log: ConsoleLog,
        offer: @escaping @Sendable (ArraySlice<UInt8>) -> Int
    ) {
        self.wake = wake
        self.listener = listener
        self.log = log
        self.offer = offer
    }

    mutating func broadcastOutput(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        if !logIsBroken {
            do { try log.appendOutput(bytes) } catch {
                logIsBroken = true
                writeLogLine("the console's log is given up: \(error)")
            }
        }
        sendToClients(bytes)
    }

    private mutating func sendToClients(_ bytes: [UInt8]) {
        for index in clients.indices.reversed() where !clients[index].sendOutput(bytes) {
            clients.remove(at: index)
        }
    }

    mutating func serveUntilNextEvent() {
        var entries = [
            pollfd(fd: wake.descriptor.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: listener.number, events: Int16(POLLIN), revents: 0),
        ]
        for client in clients {
            let events =
                (client.input.isEmpty ? POLLIN : 0) | (client.output.isEmpty ? 0 : POLLOUT)
            // A hang-up is told without being asked for, again and again: a client of whom nothing is
            // wanted is left out.
            let number = events == 0 ? -1 : client.socket.number
            entries.append(pollfd(fd: number, events: Int16(events), revents: 0))
        }
        let waits = clients.contains { !$0.input.isEmpty } ? Self.retryMilliseconds : -1
        guard unsafe poll(&entries, nfds_t(entries.count), waits) >= 0 else { return }
        if entries[0].revents != 0 { wake.resetEvent() }
        for index in clients.indices.reversed() {
            let events = Int32(entries[index + 2].revents)
            serveInput(ofClient: index, isReadable: events & ~POLLOUT != 0)
        }
        sendToClients([])
        if entries[1].revents != 0 { acceptClient() }
    }

    private mutating func serveInput(ofClient index: Int, isReadable: Bool) {
        if clients[index].input.isEmpty, isReadable {
            // An error is an end too.
            let input = try? UnixSocket.receiveBytes(
                upTo: Self.inputBytes, on: clients[index].socket)
            guard let input, !input.bytes.isEmpty else {
                clients.remove(at: index)
                return
            }
            clients[index].input = input.bytes[...]
        }
        let taken = offer(clients[index].input)
        clients[index].input = clients[index].input.dropFirst(taken)
    }

    private mutating func acceptClient() {
        // A client that went away before it was accepted is no loss.
        guard let socket = try? UnixSocket.acceptConnection(on: listener),
            UnixSocket.isPeerSameUser(on: socket),
            clients.count < Limits.consoleClientsMax
        else { return }
        clients.append(Client(socket: socket))
    }
}
