// The agent's side of a control socket: one method a request, blocking, with a limit on time.

package import Host
package import Model
import Synchronization
import Wire

/// What can go wrong with a request: the vmm said no, or the connection is broken.
package enum VMMError: Error, Sendable, CustomStringConvertible {
    case refused(VMMRefusal)
    case connection(ConnectionError)

    package var description: String {
        switch self {
        case .refused(let refusal): "\(refusal)"
        case .connection(let error): "\(error)"
        }
    }
}

/// A connection to a ferry-vmm. Any thread may call; requests go one after another. All calls block.
///
/// The handover's right to resume by itself (`pause(forHandover:)`) belongs to the connection that asked:
/// use a client of its own for each migration.
package final class VMMClient: Sendable {
    private struct State {
        let connection: VMMConnection
        var nextNumber: UInt32 = 1
    }

    private let state: Mutex<State>
    private let socket: Descriptor
    package let info: VMMInfo
    package let layout: GuestMemoryLayout
    /// All of guest RAM, in the layout's file order.
    package let memory: Mapping
    package let memoryFile: Descriptor
    /// One bit a page, 64-bit little-endian words, bit 0 = first page of the memory file.
    package let dirtyBits: Mapping

    /// Connects and attaches.
    package init(socketPath: String) throws(VMMError) {
        do {
            let socket = try UnixSocket.openConnection(to: socketPath)
            let connection = VMMConnection(socket)
            let (reply, files) = try Self.exchangeRequest(
                .attach, number: 0, on: connection, within: Limits.requestTimeout)
            guard case .attached(let info) = reply, files.count == 2,
                let layout = GuestMemoryLayout(memory: info.spec.memory)
            else { throw VMMError.connection(.unexpectedReply("\(reply)")) }
            self.info = info
            self.layout = layout
            self.socket = socket
            memoryFile = files[0]
            memory = try Self.mapFile(files[0], count: Int(layout.memory.bytes), name: "memory")
            dirtyBits = try Self.mapFile(
                files[1], count: dirtyBitsBytes(pageCount: layout.pageCount), name: "dirty bits")
            state = Mutex(State(connection: connection))
        } catch {
            throw typedError(error) { (error: SystemError) in VMMError.connection(.system(error)) }
        }
    }

    package func fetchStatus() throws(VMMError) -> VMMStatus {
        let reply = try sendRequest(.status).reply
        guard case .status(let status) = reply else { throw unexpectedReplyError(for: reply) }
        return status
    }

    package func pauseGuest(forHandover: Bool = false) throws(VMMError) {
        try sendCommand(.pause(forHandover: forHandover))
    }
    package func sealHandover() throws(VMMError) { try sendCommand(.seal) }
    package func resumeGuest() throws(VMMError) { try sendCommand(.resume) }
    package func requestQuit() throws(VMMError) { try sendCommand(.quit) }
    package func resetGuest() throws(VMMError) { try sendCommand(.reset) }
    package func startDirtyLog() throws(VMMError) { try sendCommand(.startDirtyLog) }
    package func stopDirtyLog() throws(VMMError) { try sendCommand(.stopDirtyLog) }
    package func throttleVCPUs(percent: Int) throws(VMMError) {
        try sendCommand(.throttle(percent: percent))
    }
    package func extendLease(until end: BootInstant) throws(VMMError) {
        try sendCommand(.lease(until: end))
    }
    package func sendConsoleInput(_ bytes: [UInt8]) throws(VMMError) {
        try sendCommand(.consoleInput(bytes))
    }

    /// The number of dirty pages; which ones stands in `dirtyBits`.
    package func fetchDirtyLog() throws(VMMError) -> Int {
        let reply = try sendRequest(.fetchDirtyLog).reply
        guard case .dirtyPages(let count) = reply else { throw unexpectedReplyError(for: reply) }
        return count
    }

    package func clearDirtyLog(pages: Range<Int>) throws(VMMError) {
        try sendCommand(.clearDirtyLog(firstPage: pages.lowerBound, pageCount: pages.count))
    }

    package func saveState() throws(VMMError) -> [UInt8] {
        let (reply, files) = try sendRequest(.saveState)
        guard case .state(let count) = reply, files.count == 1 else {
            throw unexpectedReplyError(for: reply)
        }
        do {
            guard try files[0].sizeInBytes() >= count else {
                throw VMMError.connection(.unexpectedReply("a state file that is too small"))
            }
            return try files[0].readBytes(at: 0, count: count)
        } catch {
            throw typedError(error) { (error: SystemError) in VMMError.connection(.system(error)) }
        }
    }

    package func loadState(from bytes: [UInt8]) throws(VMMError) {
        do {
            let file = try MemoryFile.createGrowing(name: "ferry-state")
            try file.writeAllBytes(bytes)
            let reply = try sendRequest(.loadState(bytes: bytes.count), with: [file]).reply
            guard reply == .done else { throw unexpectedReplyError(for: reply) }
        } catch {
            throw typedError(error) { (error: SystemError) in VMMError.connection(.system(error)) }
        }
    }

    package func saveMachine(to file: Descriptor) throws(VMMError) {
        let reply = try sendRequest(.saveToFile, with: [file], within: Limits.fileTimeout).reply
        guard reply == .done else { throw unexpectedReplyError(for: reply) }
    }

    /// Waits until the vmm's end of the connection is closed; false when it still is open.
    package func waitForEnd(within limit: Duration) -> Bool {
        (try? socket.waitReadable(within: limit)) ?? true
    }

    /// Reading a mapping beyond its file's end kills the reader: the end must be there, and stay.
    private static func mapFile(
        _ file: Descriptor, count: Int, name: String
    ) throws -> Mapping {
        guard try file.sizeInBytes() >= count, MemoryFile.hasShrinkSeal(on: file) else {
            throw VMMError.connection(
                .unexpectedReply("a \(name) file that is too small or may shrink"))
        }
        return try Mapping(file, count: count)
    }

    private func sendCommand(_ request: VMMRequest) throws(VMMError) {
        let reply = try sendRequest(request).reply
        guard reply == .done else { throw unexpectedReplyError(for: reply) }
    }

    private func unexpectedReplyError(for reply: VMMReply) -> VMMError {
        .connection(.unexpectedReply("\(reply)"))
    }

    private func sendRequest(
        _ request: VMMRequest, with descriptors: [Descriptor] = [],
        within limit: Duration = Limits.requestTimeout
    ) throws(VMMError) -> (reply: VMMReply, descriptors: [Descriptor]) {
        // The lock is held over a blocking exchange on purpose: it is what orders the requests, and the
        // exchange has a limit on time.
        try state.withLock { (state) throws(VMMError) in
            let number = state.nextNumber
            state.nextNumber &+= 1
            return try Self.exchangeRequest(
                request, number: number, on: state.connection, with: descriptors, within: limit)
        }
    }

    private static func exchangeRequest(
        _ request: VMMRequest, number: UInt32, on connection: VMMConnection,
        with descriptors: [Descriptor] = [], within limit: Duration
    ) throws(VMMError) -> (reply: VMMReply, descriptors: [Descriptor]) {
        let reply: VMMReply
        let files: [Descriptor]
        do {
            try connection.sendFrame(request.encodeFrame(number: number), with: descriptors)
            let frame = try receiveReply(to: number, on: connection, within: limit)
            reply = try VMMReply(kind: frame.kind, body: frame.body)
            files = frame.descriptors
        } catch {
            let connectionError = typedError(error, converting: ConnectionError.malformed)
            throw .connection(connectionError)
        }
        if case .refused(let refusal) = reply { throw .refused(refusal) }
        return (reply, files)
    }

    /// The frame with that number. Those before it answer requests whose time ran out: they are skipped.
    private static func receiveReply(
        to number: UInt32, on connection: VMMConnection, within limit: Duration
    ) throws(ConnectionError) -> (body: ArraySlice<UInt8>, kind: UInt16, descriptors: [Descriptor])
    {
        let end = Instant.now + limit
        repeat {
            let frame = try connection.receiveFrame(within: max(.zero, end - Instant.now))
            // Numbers wrap around: the difference says which is older.
            let lead = Int32(bitPattern: frame.header.number &- number)
            if lead == 0 { return (frame.body, frame.header.kind, frame.descriptors) }
            guard lead < 0 else {
                throw .unexpectedReply("number \(frame.header.number) and not \(number)")
            }
        } while Instant.now < end
        throw .timedOut
    }
}

/// Bytes of a dirty bitmap: one bit a page, whole 64-bit words.
package func dirtyBitsBytes(pageCount: Int) -> Int { (pageCount + 63) / 64 * 8 }
