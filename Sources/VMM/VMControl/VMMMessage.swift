// What an agent and its ferry-vmm say to each other on the VM's Unix control socket.
//
// Each frame is a 12-byte header and a body, little-endian:
//
//   0  UInt32  bytes of the body, at most Limits.frameBytesMax
//   4  UInt16  kind: VMMRequest 1..., VMMReply 0x8001...
//   6  UInt16  version of this message set, 1
//   8  UInt32  number of the request, repeated in its reply
//
// The agent asks, the vmm answers each request once and in order. Descriptors travel by SCM_RIGHTS with the
// frame's first byte. What is big (memory, dirty bits, saved state) is passed as a memory file, never in a body.

package import Host
package import Model

/// The version of the message set; both ends must have the same: agent and vmm are installed together,
/// and an agent that finds a vmm of another version says so instead of guessing.
package let vmControlVersion: UInt16 = 1

/// What an agent asks of a vmm.
package enum VMMRequest: Hashable, Sendable {
    /// First on every connection. Answer: `.attached` with two descriptors, guest memory and dirty bits.
    case attach
    case status
    /// Pauses all vCPUs. `forHandover`: if this connection ends before `seal`, the vmm resumes by itself,
    /// so that a source agent that dies leaves its VM running.
    case pause(forHandover: Bool)
    /// Takes back the right to resume by itself: only a request may resume the VM from now on.
    /// The source asks for this before it writes that it released the VM.
    case seal
    case resume
    /// Ends the process; the VM is gone. Answered before it ends.
    case quit
    /// Resets the guest as its reset button would: same memory size, kernel loaded again.
    case reset
    /// The VM must be paused. Answer: `.state(bytes:)` with one descriptor, a memory file that holds it.
    case saveState
    /// Comes with one descriptor, a memory file of `bytes` bytes. The VM must be `incoming` with its memory
    /// complete; afterwards it is `paused`. From here on the vmm outlives a lost connection.
    case loadState(bytes: Int)
    /// The VM must be paused. Comes with one descriptor, the file to write memory and state to.
    case saveToFile
    /// Starts KVM's dirty log with every page dirty, also for pages that the vmm writes.
    /// It stops when the connection that started it last ends.
    case startDirtyLog
    /// Copies the log into the shared dirty bits and keeps it: nothing is cleared. Answer: `.dirtyPages`.
    case fetchDirtyLog
    /// Clears in the log what is set in the shared dirty bits for these pages, by index in the memory file.
    /// First page and count are multiples of 64. Pages must be read after the answer.
    case clearDirtyLog(firstPage: Int, pageCount: Int)
    case stopDirtyLog
    /// Holds every vCPU back for this part of its time, 0 to 99 percent, until the connection that
    /// asked last ends.
    case throttle(percent: Int)
    /// Bytes for the guest's serial console.
    case consoleInput([UInt8])
    /// A leased guest may run until then, by CLOCK_BOOTTIME; afterwards it is stopped for good. It never runs before
    /// the first of these, an earlier time changes nothing, and a lease that has ended is not made longer.
    case lease(until: BootInstant)
}

/// What a vmm answers.
package enum VMMReply: Hashable, Sendable {
    case attached(VMMInfo)
    case status(VMMStatus)
    case done
    case state(bytes: Int)
    case dirtyPages(Int)
    case refused(VMMRefusal)
}

/// What an agent must know of a vmm that it found.
package struct VMMInfo: Hashable, Sendable {
    package var id: VMID
    package var processID: Int32
    package var spec: VMSpec
    package var cpuFeatures: CPUFeatures
    package var status: VMMStatus

    package init(
        id: VMID, processID: Int32, spec: VMSpec, cpuFeatures: CPUFeatures, status: VMMStatus
    ) {
        self.id = id
        self.processID = processID
        self.spec = spec
        self.cpuFeatures = cpuFeatures
        self.status = status
    }
}

/// What a VM is doing now.
package struct VMMStatus: Hashable, Sendable {
    package var state: VMState
    /// Sealed for a handover: it resumes only on request.
    package var isSealed: Bool
    /// CPU time of all vCPU threads so far.
    package var cpuTime: Duration
    /// Set when `state` is `stopped` or `failed`.
    package var exit: VMExit?

    package init(
        state: VMState, isSealed: Bool = false, cpuTime: Duration = .zero, exit: VMExit? = nil
    ) {
        self.state = state
        self.isSealed = isSealed
        self.cpuTime = cpuTime
        self.exit = exit
    }
}

/// Why a vmm did not do what it was asked. The VM is as it was before, except where a case says otherwise.
package struct VMMRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: UInt16, Hashable, Sendable {
        /// The message could not be decoded, or its version is another one.
        case badRequest = 1
        /// Not possible in the VM's present state; `detail` names it.
        case wrongState = 2
        /// KVM or another call failed.
        case systemFailure = 3
        /// The saved state cannot be loaded; `part` says which owner's. The VM is still `incoming`.
        case badState = 4
    }

    package var code: Code
    /// The owner of the state that failed ("vcpu0/msrs", "irqchip"), else empty.
    package var part: String
    package var detail: String

    package init(code: Code, part: String = "", detail: String) {
        self.code = code
        self.part = part
        self.detail = detail
    }

    package var description: String { part.isEmpty ? detail : "\(part): \(detail)" }
}
