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
    package func run() -> Int32 {
        let exit: VMExit
        do throws(MachineError) { exit = try serve() } catch {
            logLine("\(error)")
            exit = VMExit(reason: .hostFailure, detail: "\(error)")
        }
        do { try ExitFile.write(exit, to: path("exit.json")) } catch {
            logLine("exit.json: \(error)")
        }
        switch exit.reason {
        case .powerOff, .stopped, .migrated: return 0
        case .tripleFault, .emulationFailure, .hostFailure, .processDied, .leaseExpired: return 1
        }
    }

    private func serve() throws(MachineError) -> VMExit {
        try prepareProcess()
        let system: KVMSystem
        do { system = try KVMSystem.open() } catch { throw .kvm(error) }
        let saved = try openSavedFile()
        let spec = try options.spec(saved?.header.spec)
        let boot = try openBootSource(spec)
        do {
            let console = try Console()
            let controlListener = try UnixSocket.listen(at: path("control.sock"))
            let consoleListener = try UnixSocket.listen(at: path("console.sock"))
            if !options.isDebuggable { try Confinement.forbidInspection() }
            try Confinement.confineThread()

            let machine = try makeMachine(spec, system: system, boot: boot, saved: saved, console)
            try console.start(socket: consoleListener, logPath: path("console.log")) { bytes in
                machine.offerConsoleInput(bytes)
            }
            // Before anybody can ask for a pause, which this would undo.
            if !isIncoming, !options.startsPaused {
                do { try machine.resume() } catch { throw MachineError.specification("\(error)") }
            }
            let server = ControlServer(machine)
            try server.start(on: controlListener)
            try watchSignals(server)
            try watchEnd(of: machine, server)
            logLine("\(machine.spec.name) is \(machine.status.state.rawValue)")
            let exit = waitForEnd(of: machine, server)
            machine.stop(exit)
            console.finish()
            logLine("ended: \(exit.reason.rawValue): \(exit.detail)")
            return exit
        } catch {
            throw typedError(error, converting: MachineError.system)
        }
    }

    private func path(_ name: String) -> String { options.directory + "/" + name }

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
            try Signals.ignore(SIGPIPE)
            // All threads are made later and keep them blocked; one waits for them.
            try Signals.block(SIGTERM)
            try Signals.block(SIGINT)
        } catch { throw .system(error) }
    }

    private func openBootSource(_ spec: VMSpec) throws(MachineError) -> BootSource? {
        let kernel: String? =
            switch options.start {
            case .boot(let kernel): kernel
            case .incoming(let kernel), .restore(_, let kernel): kernel
            }
        guard let kernel else { return nil }
        do {
            return try BootSource.open(
                kernelPath: kernel, initrdPath: options.initrd,
                commandLine: spec.commandLine ?? "")
        } catch { throw .kernel(error) }
    }

    private func openSavedFile() throws(MachineError) -> SavedFileReader? {
        guard case .restore(let path, _) = options.start else { return nil }
        do throws(SavedFileError) {
            let file: Descriptor
            do { file = try Descriptor.open(path, O_RDONLY) } catch { throw .system(error) }
            return try SavedFileReader(file)
        } catch { throw .savedFile(error) }
    }

    private func makeMachine(
        _ spec: VMSpec, system: KVMSystem, boot: BootSource?, saved: SavedFileReader?,
        _ console: Console
    ) throws(MachineError) -> Machine {
        let sink: @Sendable (UInt8) -> Void = { console.put($0) }
        if let saved {
            let header = try saved.header.restored(as: spec, id: options.id)
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
    private func waitForEnd(of machine: Machine, _ server: ControlServer) -> VMExit {
        let firstConnectionEnd = Instant.now + Limits.firstConnectionTimeout
        let isIncoming = isIncoming
        let end: VMExit?? = server.situation.wait(
            deadline: { isIncoming && !$0.hadConnection ? firstConnectionEnd : nil }
        ) { situation -> VMExit?? in
            if let exit = machine.status.exit { return .some(.some(exit)) }
            if situation.isQuitAsked {
                return .some(.some(VMExit(reason: .stopped, detail: "it was told to quit")))
            }
            let isLost = isIncoming && !situation.isLoaded && situation.hadConnection
            return isLost && situation.connections == 0 ? .some(nil) : nil
        }
        guard let end, let exit = end else {
            return VMExit(
                reason: .stopped, detail: "no state arrived: the last control connection ended")
        }
        if machine.status.exit != nil { stayForStatus(server) }
        return exit
    }

    /// A connected agent may still ask why; nobody else keeps the process.
    private func stayForStatus(_ server: ControlServer) {
        let end = Instant.now + Limits.statusAfterEnd
        _ = server.situation.wait(deadline: { _ in end }) { situation in
            situation.connections == 0 || situation.isQuitAsked ? true : nil
        }
    }

    private func watchEnd(of machine: Machine, _ server: ControlServer) throws(SystemError) {
        _ = try NamedThread(name: "end") {
            while machine.waitForEnd(within: .seconds(3600)) == nil {}
            // Wakes who waits for the situation.
            server.situation.change { _ in }
        }
    }

    private func watchSignals(_ server: ControlServer) throws(SystemError) {
        _ = try NamedThread(name: "signals") {
            // Only an interrupted wait could fail, and that is tried again.
            _ = try? Signals.wait(for: SIGTERM, or: SIGINT)
            server.situation.change { $0.isQuitAsked = true }
        }
    }
}
