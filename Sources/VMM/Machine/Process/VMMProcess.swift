// A ferry-vmm process from start to end.
//
//   open what is needed (KVM, kernel, sockets, log) → give up the right to open or start anything else of
//   harm → build the machine → serve → the guest's end, quit, SIGTERM or a lost migration → exit.json
//
// Everything that can go wrong ends in exit.json too.

import Glibc
import Host
import KVM
import Model
import VMControl

package struct VMMProcess {
    private let options: VMMOptions

    package init(_ options: VMMOptions) { self.options = options }

    /// Returns the process's exit code. Call on the main thread, once, before there are other threads.
    package func runUntilExit() -> Int32 {
        let exit: VMExit
        do throws(MachineError) { exit = try runMachine() } catch {
            writeLogLine("\(error)")
            exit = VMExit(reason: .hostFailure, detail: "\(error)")
        }
        do { try ExitFile.writeExit(exit, to: filePath(named: "exit.json")) } catch {
            writeLogLine("exit.json: \(error)")
        }
        switch exit.reason {
        case .powerOff, .stopped, .migrated: return 0
        case .tripleFault, .emulationFailure, .hostFailure, .processDied, .leaseExpired: return 1
        }
    }

    private func runMachine() throws(MachineError) -> VMExit {
        try prepareProcess()
        let system: KVMSystem
        do { system = try KVMSystem.openDevice() } catch { throw .kvm(error) }
        let saved = try openSavedFile()
        let spec = try options.spec(saved?.header.spec)
        let boot = try openBootSource(for: spec)
        do {
            let console = try Console()
            let controlListener = try UnixSocket.openListener(at: filePath(named: "control.sock"))
            let consoleListener = try UnixSocket.openListener(at: filePath(named: "console.sock"))
            if !options.isDebuggable { try Confinement.forbidInspection() }
            try Confinement.confineThread()

            let machine = try makeMachine(
                for: spec, system: system, boot: boot, saved: saved, output: console)
            try console.startServing(
                socket: consoleListener, logPath: filePath(named: "console.log")
            ) { bytes in
                machine.enqueueConsoleInput(bytes)
            }
            // Before anybody can ask for a pause, which this would undo.
            if !isIncoming, !options.startsPaused {
                do { try machine.resumeGuest() } catch {
                    throw MachineError.specification("\(error)")
                }
            }
            let server = ControlServer(machine)
            try server.startServing(on: controlListener)
            try watchSignals(for: server)
            try watchForEnd(of: machine, server: server)
            writeLogLine("\(machine.spec.name) is \(machine.status.state.rawValue)")
            let exit = waitForEnd(of: machine, server: server)
            machine.stopGuest(with: exit)
            console.finishOutput()
            writeLogLine("ended: \(exit.reason.rawValue): \(exit.detail)")
            return exit
        } catch {
            throw typedError(error, converting: MachineError.system)
        }
    }

    private func filePath(named name: String) -> String { options.directory + "/" + name }

    private var isIncoming: Bool {
        if case .incoming = options.start { true } else { false }
    }
}

// MARK: Beginning

extension VMMProcess {
    private func prepareProcess() throws(MachineError) {
        do {
            _ = umask(0o077)
            try Confinement.closeInherited()
            try Signals.ignoreSignal(SIGPIPE)
            // All threads are made later and keep them blocked; one waits for them.
            try Signals.blockSignal(SIGTERM)
            try Signals.blockSignal(SIGINT)
        } catch { throw .system(error) }
    }

    private func openBootSource(for spec: VMSpec) throws(MachineError) -> BootSource? {
        let kernel: String? =
            switch options.start {
            case .boot(let kernel): kernel
            case .incoming(let kernel), .restore(_, let kernel): kernel
            }
        guard let kernel else { return nil }
        do {
            return try BootSource.openFiles(
                kernelPath: kernel, initrdPath: options.initrd,
                commandLine: spec.commandLine ?? "")
        } catch { throw .kernel(error) }
    }

    private func openSavedFile() throws(MachineError) -> SavedFileReader? {
        guard case .restore(let path, _) = options.start else { return nil }
        do throws(SavedFileError) {
            let file: Descriptor
            do { file = try Descriptor.openFile(at: path, flags: O_RDONLY) } catch {
                throw .system(error)
            }
            return try SavedFileReader(file)
        } catch { throw .savedFile(error) }
    }

    private func makeMachine(
        for spec: VMSpec, system: KVMSystem, boot: BootSource?, saved: SavedFileReader?,
        output console: Console
    ) throws(MachineError) -> Machine {
        let sink: @Sendable (UInt8) -> Void = { console.appendOutput($0) }
        if let saved {
            let header = try saved.header.restoredHeader(as: spec, id: options.id)
            return try Machine(
                restoring: saved, as: header, boot: boot, system: system, console: sink)
        }
        let configuration = MachineConfiguration(
            id: options.id ?? .random(), spec: spec, boot: boot)
        return try Machine(
            configuration, incoming: isIncoming, system: system, console: sink)
    }
}

// MARK: End

extension VMMProcess {
    /// Waits until there is a reason to end, and returns it.
    private func waitForEnd(of machine: Machine, server: ControlServer) -> VMExit {
        let firstConnectionEnd = Instant.now + Limits.firstConnectionTimeout
        let isIncoming = isIncoming
        let end: VMExit?? = server.state.waitForValue(
            deadline: { isIncoming && !$0.hadConnection ? firstConnectionEnd : nil }
        ) { state -> VMExit?? in
            if let exit = machine.status.exit { return .some(.some(exit)) }
            if state.isQuitAsked {
                return .some(.some(VMExit(reason: .stopped, detail: "it was told to quit")))
            }
            let isLost = isIncoming && !state.isLoaded && state.hadConnection
            return isLost && state.connections == 0 ? .some(nil) : nil
        }
        guard let end, let exit = end else {
            return VMExit(
                reason: .stopped, detail: "no state arrived: the last control connection ended")
        }
        if machine.status.exit != nil { waitForStatusQueries(on: server) }
        return exit
    }

    /// A connected agent may still ask why; nobody else keeps the process.
    private func waitForStatusQueries(on server: ControlServer) {
        let end = Instant.now + Limits.statusAfterEnd
        _ = server.state.waitForValue(deadline: { _ in end }) { state in
            state.connections == 0 || state.isQuitAsked ? true : nil
        }
    }

    private func watchForEnd(of machine: Machine, server: ControlServer) throws(SystemError) {
        _ = try NamedThread(name: "end") {
            while machine.waitForEnd(within: .seconds(3600)) == nil {}
            // Wakes who waits for the situation.
            server.state.updateState { _ in }
        }
    }

    private func watchSignals(for server: ControlServer) throws(SystemError) {
        _ = try NamedThread(name: "signals") {
            // Only an interrupted wait could fail, and that is tried again.
            _ = try? Signals.waitForSignal(first: SIGTERM, second: SIGINT)
            server.state.updateState { $0.isQuitAsked = true }
        }
    }
}
