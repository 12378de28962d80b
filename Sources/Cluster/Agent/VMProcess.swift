// A ferry-vmm that runs, as the agent holds it: its process and its control connection.

package import Host
package import Model
package import VMControl

/// A running ferry-vmm.
package final class VMProcess: Sendable {
    package let handle: ProcessHandle
    package let client: VMMClient
    private let files: VMFiles

    /// Connects to the ferry-vmm of a VM's folder and makes sure that it is that VM's. Blocks.
    package init(attachingTo files: VMFiles, expecting id: VMID) throws(AttachError) {
        do { client = try VMMClient(socketPath: files.controlSocket) } catch {
            throw .control(error)
        }
        guard client.info.id == id else { throw .otherVM(client.info.id) }
        do {
            handle = try ProcessHandle(client.info.processID)
            // It still answers, so the number that it gave is still its own.
            _ = try client.status()
        } catch {
            throw typedError(error, converting: AttachError.process, or: AttachError.control)
        }
        self.files = files
    }

    /// A second connection: for a migration, whose right to resume belongs to it, or for what takes long.
    package func anotherClient() throws(VMMError) -> VMMClient {
        try VMMClient(socketPath: files.controlSocket)
    }

    /// Asks it to end, and makes it end when it does not. Returns with the process gone. Blocks.
    package func end() {
        // A vmm that does not answer any more is killed below.
        try? client.quit()
        kill(after: Limits.vmmStop)
    }

    /// Ends it at once. Blocks until it is gone.
    package func kill(after limit: Duration = .zero) {
        // Waiting and killing fail only for a process that is gone, which is what is wanted.
        if (try? handle.waitForExit(within: limit)) != true {
            try? handle.signal(9)
            _ = try? handle.waitForExit(within: Limits.vmmStop)
        }
        _ = handle.reap()
    }
}

/// Why a ferry-vmm could not be found.
package enum AttachError: Error, Sendable, CustomStringConvertible {
    case control(VMMError)
    case process(SystemError)
    /// Another VM's process has the folder.
    case otherVM(VMID)

    package var description: String {
        switch self {
        case .control(let error): "\(error)"
        case .process(let error): "\(error)"
        case .otherVM(let id): "the ferry-vmm in this folder runs another VM, \(id)"
        }
    }

    /// Waiting does not help. (A process that is about to fail accepts a connection and drops it.)
    var isFinal: Bool {
        switch self {
        case .control(.refused), .otherVM, .control(.connection(.malformed)): true
        case .control(.connection), .process: false
        }
    }

    /// Nobody listens: there is no such process.
    var meansNoProcess: Bool {
        guard case .control(.connection(.system(let error))) = self else { return false }
        return error.call.hasPrefix("connect") || error.call.hasPrefix("open")
    }
}
