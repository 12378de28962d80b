// One control connection: takes requests in order, answers each once.

import Host
import Model
import VMControl
import Wire

/// Runs on a thread of its own until the other end is gone or sends what cannot be read.
struct ControlSession {
    let id: ConnectionID
    let connection: VMMConnection
    let machine: Machine
    /// A request was understood.
    let asked: @Sendable () -> Void
    /// A state was loaded: the process no longer depends on its connections.
    let loaded: @Sendable () -> Void
    let quit: @Sendable () -> Void

    func run() {
        do throws(ConnectionError) {
            while try serveOne() {}
        } catch .malformed(let error) {
            // The header itself cannot be read, so the reply has no number.
            refuse(error, number: 0)
        } catch {
            if case .closed = error { return }
            logLine("control connection \(id.number): \(error)")
        }
    }

    /// False when the connection is to be closed.
    private func serveOne() throws(ConnectionError) -> Bool {
        let frame = try connection.receive(within: nil)
        let request: VMMRequest
        do { request = try VMMRequest(kind: frame.header.kind, body: frame.body) } catch {
            refuse(error, number: frame.header.number)
            return false
        }
        asked()
        var reply: VMMReply
        var files: [Descriptor] = []
        do { (reply, files) = try answer(request, frame.descriptors) } catch {
            reply = .refused(error)
        }
        try connection.send(reply.frame(number: frame.header.number), with: files)
        if request == .quit { quit() }
        return true
    }

    private func refuse(_ error: WireError, number: UInt32) {
        let refusal = VMMRefusal(code: .badRequest, detail: "\(error)")
        // The connection ends either way.
        try? connection.send(VMMReply.refused(refusal).frame(number: number))
    }

    private func answer(
        _ request: VMMRequest, _ files: [Descriptor]
    ) throws(VMMRefusal) -> (VMMReply, [Descriptor]) {
        switch request {
        case .attach: return (.attached(info), [machine.memory.file, machine.dirtyLog.bitsFile])
        case .status: return (.status(machine.status), [])
        case .pause(let forHandover): try machine.pause(forHandoverBy: forHandover ? id : nil)
        case .seal: try machine.seal(by: id)
        case .resume: try machine.resume()
        case .quit: break
        case .reset: try machine.reset()
        case .saveState: return try savedState()
        case .loadState(let bytes): try loadState(bytes, from: try one(files))
        case .saveToFile: try machine.save(to: try one(files))
        case .startDirtyLog:
            try system { () throws(SystemError) in try machine.dirtyLog.start(by: id) }
        case .fetchDirtyLog:
            try requireDirtyLog()
            let count = try system { () throws(SystemError) in try machine.dirtyLog.fetch() }
            return (.dirtyPages(count), [])
        case .clearDirtyLog(let first, let count): try clearDirtyLog(first: first, count: count)
        case .stopDirtyLog: try system { () throws(SystemError) in try machine.dirtyLog.stop() }
        case .throttle(let percent): try machine.throttle(percent: percent, by: id)
        case .consoleInput(let bytes): try offer(bytes)
        case .lease(let until): try machine.extendLease(until: until)
        }
        return (.done, [])
    }

    private var info: VMMInfo {
        VMMInfo(
            id: machine.id, processID: processID, spec: machine.spec,
            cpuFeatures: machine.cpuFeatures, status: machine.status)
    }

    private func savedState() throws(VMMRefusal) -> (VMMReply, [Descriptor]) {
        let bytes = try machine.saveState()
        let file = try system { () throws(SystemError) in
            let file = try MemoryFile.growing(name: "ferry-state")
            try file.write(all: bytes)
            return file
        }
        return (.state(bytes: bytes.count), [file])
    }

    private func loadState(_ count: Int, from file: Descriptor) throws(VMMRefusal) {
        let bytes = try system { () throws(SystemError) in try file.bytes(at: 0, count: count) }
        try machine.loadState(bytes)
        loaded()
    }

    private func clearDirtyLog(first: Int, count: Int) throws(VMMRefusal) {
        try requireDirtyLog()
        let pageCount = machine.memory.layout.pageCount
        guard first % 64 == 0, count % 64 == 0, first <= pageCount, count <= pageCount - first
        else {
            throw VMMRefusal(
                code: .badRequest,
                detail: "pages \(first) and \(count) more: use multiples of 64 within \(pageCount)")
        }
        try system { () throws(SystemError) in
            try machine.dirtyLog.clear(first..<(first + count))
        }
    }

    private func requireDirtyLog() throws(VMMRefusal) {
        guard machine.dirtyLog.isRunning else {
            throw VMMRefusal(code: .wrongState, detail: "the dirty log was not started")
        }
    }

    private func offer(_ bytes: [UInt8]) throws(VMMRefusal) {
        let taken = machine.offerConsoleInput(bytes)
        guard taken == bytes.count else {
            throw VMMRefusal(
                code: .wrongState,
                detail:
                    "the guest does not read its console: \(taken) of \(bytes.count) bytes were taken"
            )
        }
    }

    private func one(_ files: [Descriptor]) throws(VMMRefusal) -> Descriptor {
        guard files.count == 1 else {
            throw VMMRefusal(
                code: .badRequest, detail: "\(files.count) descriptors came with it, not one")
        }
        return files[0]
    }

    private func system<Value>(
        _ body: () throws(SystemError) -> Value
    ) throws(VMMRefusal) -> Value {
        do { return try body() } catch { throw machine.refusal(error) }
    }
}
