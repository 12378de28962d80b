// control.sock: takes connections of this user, a thread each, and counts them.

import Glibc
package import Host
import Model
import Synchronization
import VMControl

/// What the process has to know of its connections, and of what was asked on them.
package struct ControlSituation: Hashable, Sendable {
    package var connections = 0
    /// Somebody asked something: one who only tries whether the socket is there does not count.
    package var hadConnection = false
    package var isLoaded = false
    package var isQuitAsked = false
}

package final class ControlServer: Sendable {
    package let situation = Monitor(ControlSituation())
    private let machine: Machine
    private let lastID = Mutex<UInt64>(0)

    package init(_ machine: Machine) { self.machine = machine }

    /// Serves until the process ends.
    package func start(on listener: Descriptor) throws(SystemError) {
        _ = try NamedThread(name: "control") { [self] in
            while true {
                do { try serve(UnixSocket.accept(on: listener)) } catch {
                    logLine("control socket: \(error)")
                    // Out of descriptors or memory: connections that end will free some.
                    _ = usleep(100_000)
                }
            }
        }
    }

    private func serve(_ socket: Descriptor) throws(SystemError) {
        guard UnixSocket.isSameUser(socket) else {
            return logLine("a process of another user wanted to use the control socket")
        }
        let hasRoom = situation.change { situation in
            guard situation.connections < VMControl.Limits.connectionsMax else { return false }
            situation.connections += 1
            return true
        }
        guard hasRoom else { return logLine("too many control connections at once") }
        let id = lastID.withLock { last in
            last += 1
            return ConnectionID(last)
        }
        do {
            let thread = try NamedThread(name: "control-\(id.number)") { [self] in
                ControlSession(
                    id: id, connection: VMMConnection(socket), machine: machine,
                    asked: { [situation] in situation.change { $0.hadConnection = true } },
                    loaded: { [situation] in situation.change { $0.isLoaded = true } },
                    quit: { [situation] in situation.change { $0.isQuitAsked = true } }
                ).run()
                machine.connectionEnded(id)
                situation.change { $0.connections -= 1 }
            }
            // Nobody waits for it: its stack must go when it ends.
            thread.detach()
        } catch {
            situation.change { $0.connections -= 1 }
            throw error
        }
    }
}

var processID: Int32 { getpid() }
