// Where in a migration a fault is injected: at a call that one of its processes makes, told by what it says.

import CFaultControl

/// One end of a migration.
package enum Side: String, Hashable, Sendable, CaseIterable {
    case source, destination
}

/// A call of an agent or a ferry-vmm, seen by the shim.
package struct FaultPoint: Hashable, Sendable {
    package enum Program: Hashable, Sendable { case agent, vmm }

    package enum Moment: String, Hashable, Sendable {
        case before, after
        /// Of a record: written, and not flushed yet.
        case unflushed

        var code: UInt32 {
            switch self {
            case .before: UInt32(FAULT_BEFORE.rawValue)
            case .after: UInt32(FAULT_AFTER.rawValue)
            case .unflushed: UInt32(FAULT_UNFLUSHED.rawValue)
            }
        }
    }

    package var side: Side
    package var program = Program.agent
    package var moment: Moment
    package var call: FaultCall
    /// The how manyth such call of this migration.
    package var occurrence = 1

    package var name: String {
        let number = occurrence > 1 ? " \(occurrence)" : ""
        let who = program == .agent ? side.rawValue : "\(side.rawValue) vmm"
        return "\(moment.rawValue) \(who)'s \(call.name)\(number)"
    }
}

package enum FaultCall: Hashable, Sendable {
    /// Kinds as they stand in PeerMessage's bytes.
    package enum Message: UInt32, Hashable, Sendable, CaseIterable {
        case hello = 1
        case welcome, refused, offer, accepted, alive, state, verify, ready, go, running, question
        case answer, hashes, rehearse, rehearsed, overrule
    }

    /// Kinds as they stand in a ledger record's first byte.
    package enum Record: UInt32, Hashable, Sendable, CaseIterable {
        case owned = 1
        case released, handedOver, incoming, neverRan, deleted, ruled, overruled
    }

    /// Kinds as they stand in a VMMRequest's bytes.
    package enum Request: UInt32, Hashable, Sendable, CaseIterable {
        case attach = 1
        case status, pause, seal, resume, quit, reset, saveState, loadState, saveToFile
        case startDirtyLog, fetchDirtyLog, clearDirtyLog, stopDirtyLog, throttle, consoleInput
    }

    package enum File: String, Hashable, Sendable { case open, write, flush, rename, mkdir }
    package enum Memory: String, Hashable, Sendable { case create, size, write, map }

    case message(Message)
    /// A page frame of a data stream.
    case frame
    case record(Record)
    /// Any write to the ledger.
    case anyRecord
    case request(Request)
    case file(File, path: String)
    case memory(Memory)

    package var name: String {
        switch self {
        case .message(let message): "\(message)"
        case .frame: "page frame"
        case .record(let record): "record \(record)"
        case .anyRecord: "ledger"
        case .request(let request): "request \(request)"
        case .file(let call, let path): "\(call) of \(path)"
        case .memory(let call): "memory \(call)"
        }
    }
}

/// What the shim does at a point.
enum ShimAction: Hashable, Sendable {
    /// Holds the calling thread until it is released.
    case hold
    case fail(Int32)
    case delay(milliseconds: UInt32)
}

extension fault_rule {
    /// - Parameter times: how many calls from `point.occurrence` on; nil for all.
    init(at point: FaultPoint, action: ShimAction, times: Int? = 1) {
        self.init()
        (call, code) = point.call.codes
        moment = point.moment.code
        first = UInt32(point.occurrence)
        self.times = UInt32(times ?? 0)
        switch action {
        case .hold: self.action = UInt32(FAULT_HOLD.rawValue)
        case .fail(let code):
            self.action = UInt32(FAULT_FAIL.rawValue)
            value = UInt32(code)
        case .delay(let milliseconds):
            self.action = UInt32(FAULT_DELAY.rawValue)
            value = milliseconds
        }
        guard case .file(_, let text) = point.call else { return }
        unsafe withUnsafeMutableBytes(of: &path) { unsafe $0.copyBytes(from: text.utf8.prefix(63)) }
    }
}

extension FaultCall {
    fileprivate var codes: (call: UInt32, code: UInt32) {
        switch self {
        case .message(let message): (FAULT_MESSAGE.number, message.rawValue)
        case .frame: (FAULT_FRAME.number, FAULT_ANY_CODE)
        case .record(let record): (FAULT_RECORD.number, record.rawValue)
        case .anyRecord: (FAULT_RECORD.number, FAULT_ANY_CODE)
        case .request(let request): (FAULT_REQUEST.number, request.rawValue)
        case .file(let file, _): (FAULT_FILE.number, file.code)
        case .memory(let memory): (FAULT_MEMORY.number, memory.code)
        }
    }
}

extension FaultCall.File {
    fileprivate var code: UInt32 {
        switch self {
        case .open: UInt32(FAULT_OPEN.rawValue)
        case .write: UInt32(FAULT_WRITE.rawValue)
        case .flush: UInt32(FAULT_FLUSH.rawValue)
        case .rename: UInt32(FAULT_RENAME.rawValue)
        case .mkdir: UInt32(FAULT_MKDIR.rawValue)
        }
    }
}

extension FaultCall.Memory {
    fileprivate var code: UInt32 {
        switch self {
        case .create: UInt32(FAULT_MEMORY_CREATE.rawValue)
        case .size: UInt32(FAULT_MEMORY_SIZE.rawValue)
        case .write: UInt32(FAULT_MEMORY_WRITE.rawValue)
        case .map: UInt32(FAULT_MEMORY_MAP.rawValue)
        }
    }
}

extension fault_call {
    fileprivate var number: UInt32 { UInt32(rawValue) }
}
