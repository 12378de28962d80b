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

    func serveRequests() {
        do throws(ConnectionError) {
            while try serveNextRequest() {}
        } catch .malformed(let error) {
            // The header itself cannot be read, so the reply has no number.
            sendRefusal(for: error, number: 0)
        } catch {
            if case .closed = error { return }
            writeLogLine("control connection \(id.number): \(error)")
        }
    }

    /// False when the connection is to be closed.
    private func serveNextRequest() throws(ConnectionError) -> Bool {
        let frame = try connection.receiveFrame(within: nil)
        let request: VMMRequest
        do { request = try VMMRequest(kind: frame.header.kind, body: frame.body) } catch {
            sendRefusal(for: error, number: frame.header.number)
            return false
        }
        asked()
        var reply: VMMReply
        var files: [Descriptor] = []
        do { (reply, files) = try handleRequest(request, files: frame.descriptors) } catch {
            reply = .refused(error)
        }
        try connection.sendFrame(reply.encodeFrame(number: frame.header.number), with: files)
        if request == .quit { quit() }
        return true
    }

    private func sendRefusal(for error: WireError, number: UInt32) {
        let refusal = VMMRefusal(code: .badRequest, detail: "\(error)")
        // The connection ends either way.
        try? connection.sendFrame(VMMReply.refused(refusal).encodeFrame(number: number))
    }

    private func handleRequest(
        _ request: VMMRequest, files: [Descriptor]
    ) throws(VMMRefusal) -> (VMMReply, [Descriptor]) {
        switch request {
        case .attach: return (.attached(info), [machine.memory.file, machine.dirtyLog.bitsFile])
        case .status: return (.status(machine.status), [])
        case .pause(let forHandover): try machine.pauseGuest(forHandoverBy: forHandover ? id : nil)
        case .seal: try machine.sealHandover(by: id)
        case .resume: try machine.resumeGuest()
        case .quit: break
        case .reset: try machine.resetGuest()
        case .saveState: return try savedState()
        case .loadState(let bytes):
            try loadState(byteCount: bytes, from: try singleDescriptor(in: files))
        case .saveToFile: try machine.saveMachine(to: try singleDescriptor(in: files))
        case .startDirtyLog:
            try mapSystemErrors { () throws(SystemError) in
                try machine.dirtyLog.startLogging(for: id)
            }
        case .fetchDirtyLog:
            try requireDirtyLog()
            let count = try mapSystemErrors { () throws(SystemError) in
                try machine.dirtyLog.fetchDirtyPages()
            }
            return (.dirtyPages(count), [])
        case .clearDirtyLog(let first, let count): try clearDirtyLog(first: first, count: count)
        case .stopDirtyLog:
            try mapSystemErrors { () throws(SystemError) in try machine.dirtyLog.stopLogging() }
        case .throttle(let percent): try machine.throttleVCPUs(percent: percent, by: id)
        case .consoleInput(let bytes): try enqueueConsoleInput(bytes)
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
        let file = try mapSystemErrors { () throws(SystemError) in
            let file = try MemoryFile.createGrowing(name: "ferry-state")
            try file.writeAllBytes(bytes)
            return file
        }
        return (.state(bytes: bytes.count), [file])
    }

    private func loadState(byteCount count: Int, from file: Descriptor) throws(VMMRefusal) {
        let bytes = try mapSystemErrors { () throws(SystemError) in
            try file.readBytes(at: 0, count: count)
        }
        try machine.loadState(from: bytes)
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
        try mapSystemErrors { () throws(SystemError) in
            try machine.dirtyLog.clearPages(in: first..<(first + count))
        }
    }

    private func requireDirtyLog() throws(VMMRefusal) {
        guard machine.dirtyLog.isRunning else {
            throw VMMRefusal(code: .wrongState, detail: "the dirty log was not started")
        }
    }

    private func enqueueConsoleInput(_ bytes: [UInt8]) throws(VMMRefusal) {
        let taken = machine.enqueueConsoleInput(bytes)
        guard taken == bytes.count else {
            throw VMMRefusal(
                code: .wrongState,
                detail:
                    "the guest does not read its console: \(taken) of \(bytes.count) bytes were taken"
            )
        }
    }

    private func singleDescriptor(in files: [Descriptor]) throws(VMMRefusal) -> Descriptor {
        guard files.count == 1 else {
            throw VMMRefusal(
                code: .badRequest, detail: "\(files.count) descriptors came with it, not one")
        }
        return files[0]
    }

    private func mapSystemErrors<Value>(
        in body: () throws(SystemError) -> Value
    ) throws(VMMRefusal) -> Value {
        do { return try body() } catch { throw machine.makeRefusal(for: error) }
    }
}
