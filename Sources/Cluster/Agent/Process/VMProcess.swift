// A running ferry-vmm, as the agent holds it: its process and its control connection.

package import Host
package import Model
package import VMControl

package final class VMProcess: Sendable {
    package let handle: ProcessHandle
    package let client: VMMClient
    private let files: VMFiles

    /// Connects to the ferry-vmm of a VM's folder and checks that it runs this VM. Blocks.
    package init(attachingTo files: VMFiles, expecting id: VMID) throws(AttachError) {
        do { client = try VMMClient(socketPath: files.controlSocket) } catch {
            throw .control(error)
        }
        guard client.info.id == id else { throw .otherVM(client.info.id) }
        do { handle = try ProcessHandle(client.info.processID) } catch { throw .process(error) }
        // The process still answers, so its number has not been reused.
        do { _ = try client.fetchStatus() } catch { throw .control(error) }
        self.files = files
    }

    /// A second connection: for a migration, whose right to resume belongs to it, or for a long operation.
    package func openConnection() throws(VMMError) -> VMMClient {
        try VMMClient(socketPath: files.controlSocket)
    }

    /// Asks the process to end, and kills it when it does not. Returns with the process gone. Blocks.
    package func terminate() {
        // A process that does not answer is killed below.
        try? client.requestQuit()
        killAndReap(after: Timing.vmmStop)
    }

    /// Kills the process after the limit. Blocks until it is gone.
    package func killAndReap(after limit: Duration = .zero) {
        // Waiting and signalling fail only for a process that is gone.
        if (try? handle.waitForExit(within: limit)) != true {
            try? handle.sendSignal(9)
            _ = try? handle.waitForExit(within: Timing.vmmStop)
        }
        _ = handle.reapIfExited()
    }
}

/// Why a ferry-vmm cannot be attached.
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

    /// A later attempt cannot succeed. (A process that is about to fail accepts a connection and drops it.)
    var isFinal: Bool {
        switch self {
        case .control(.refused), .otherVM, .control(.connection(.malformed)): true
        case .control(.connection), .process: false
        }
    }

    /// No process listens at the socket.
    var meansNoProcess: Bool {
        guard case .control(.connection(.system(let error))) = self else { return false }
        return error.call.hasPrefix("connect") || error.call.hasPrefix("open")
    }
}
