// control.sock: takes connections of this user, a thread each, and counts them.

import Glibc
package import Host
import Model
import Synchronization
import VMControl

/// What the process has to know of its connections, and of what was asked on them.
package struct ControlServerState: Hashable, Sendable {
    package var connections = 0
    /// Somebody asked something: one who only tries whether the socket is there does not count.
    package var hadConnection = false
    package var isLoaded = false
    package var isQuitAsked = false
}

package final class ControlServer: Sendable {
    package let state = Monitor(ControlServerState())
    private let machine: Machine
    private let lastID = Mutex<UInt64>(0)

    package init(_ machine: Machine) { self.machine = machine }

    /// Serves until the process ends.
    package func startServing(on listener: Descriptor) throws(SystemError) {
        _ = try NamedThread(name: "control") { [self] in
            while true {
                do { try serveConnection(on: UnixSocket.acceptConnection(on: listener)) } catch {
                    writeLogLine("control socket: \(error)")
                    // Out of descriptors or memory: connections that end will free some.
                    _ = usleep(100_000)
                }
            }
        }
    }

    private func serveConnection(on socket: Descriptor) throws(SystemError) {
        guard UnixSocket.isPeerSameUser(on: socket) else {
            return writeLogLine("a process of another user wanted to use the control socket")
        }
        let hasRoom = state.updateState { state in
            guard state.connections < VMControl.Limits.connectionsMax else { return false }
            state.connections += 1
            return true
        }
        guard hasRoom else { return writeLogLine("too many control connections at once") }
        let id = lastID.withLock { last in
            last += 1
            return ConnectionID(last)
        }
        do {
            let thread = try NamedThread(name: "control-\(id.number)") { [self] in
                ControlSession(
                    id: id, connection: VMMConnection(socket), machine: machine,
                    asked: { [state] in state.updateState { $0.hadConnection = true } },
                    loaded: { [state] in state.updateState { $0.isLoaded = true } },
                    quit: { [state] in state.updateState { $0.isQuitAsked = true } }
                ).serveRequests()
                machine.handleConnectionEnd(of: id)
                state.updateState { $0.connections -= 1 }
            }
            // Nobody waits for it: its stack must go when it ends.
            thread.detachThread()
        } catch {
            state.updateState { $0.connections -= 1 }
            throw error
        }
    }
}

var processID: Int32 { getpid() }
