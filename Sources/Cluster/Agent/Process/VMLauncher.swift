// Starts ferry-vmm processes.

import API
import FoundationEssentials
package import Host
package import Model
import VMControl

/// How a VM's process starts.
package enum VMStart: Hashable, Sendable {
    case boot(KernelSource)
    /// Memory and state arrive from another host. The kernel is for resets, if it exists on this host.
    case incoming(KernelSource)
    case restore(path: String)

    fileprivate var isIncoming: Bool {
        if case .incoming = self { true } else { false }
    }
}

/// Why a ferry-vmm did not start. No process is left.
package enum LaunchError: Error, Sendable, CustomStringConvertible {
    case system(SystemError)
    /// It ended by itself, with this message.
    case ended(String)
    case attach(AttachError)
    case timedOut(Duration)
    /// `restoredFrom`: the saved file that the VM was made from, where that is known.
    case kernelUnknown(restoredFrom: String?)
    /// It ended at once with a user's kernel, with this message.
    case kernelRefused(String)
    case noFile(path: String, RegularFileError)

    package var description: String {
        switch self {
        case .system(let error): "the VM's process cannot be started: \(error)"
        case .ended(let message): message
        case .attach(let error): "the VM's process cannot be reached: \(error)"
        case .timedOut(let limit): "the VM's process was not ready after \(limit)"
        case .kernelUnknown(let path):
            "this VM was restored from \(path ?? "a saved file"), which has its memory and state but not its kernel: it can run, but it cannot boot again; restore it from a saved file again, or create a new VM"
        case .kernelRefused(let message): message
        case .noFile(let path, let error): "\(path) cannot be used on this host: \(error)"
        }
    }
}

extension Problem {
    init(_ error: LaunchError) {
        switch error {
        case .noFile, .kernelUnknown, .kernelRefused: self.init(.kernelUnusable, detail: "\(error)")
        case .ended, .attach, .timedOut, .system: self.init(.vmmFailed, detail: "\(error)")
        }
    }
}

/// Starts the ferry-vmm program with the arguments for a VM.
package struct VMLauncher: Sendable {
    /// The program.
    package let program: String
    /// The kernel of VMs that name none.
    package let shippedKernel: String?

    package init(program: String, shippedKernel: String?) {
        self.program = program
        self.shippedKernel = shippedKernel
    }

    /// Starts a process and returns when it answers. Blocks. Files of earlier processes in the folder are removed.
    package func launchProcess(
        for record: VMRecord, files: VMFiles, start: VMStart, paused: Bool
    ) throws(LaunchError) -> VMProcess {
        let arguments = try arguments(for: record, files: files, start: start, paused: paused)
        let handle: ProcessHandle
        do {
            for file in [files.controlSocket, files.consoleSocket, files.exit] {
                try File.removeIfPresent(at: file)
            }
            handle = try ProcessHandle(
                DetachedProcess.startProgram(
                    at: program, arguments: arguments, logPath: files.vmmLog))
        } catch { throw .system(error) }
        var limit = Timing.vmmStartLimit(for: record.spec)
        if case .restore = start { limit = Timing.vmmRestore }
        do throws(LaunchError) {
            return try attachWhenReady(
                to: handle, expecting: record.id, files: files, within: limit)
        } catch {
            var error = error
            if case .ended(let message) = error, case .boot(.files) = start {
                error = .kernelRefused(message)
            }
            // Signals fail only for a process that is gone.
            try? handle.sendSignal(9)
            _ = try? handle.waitForExit(within: Timing.vmmStop)
            _ = handle.reapIfExited()
            throw error
        }
    }

    private func attachWhenReady(
        to handle: ProcessHandle, expecting id: VMID, files: VMFiles, within limit: Duration
    ) throws(LaunchError) -> VMProcess {
        let end = Instant.now + limit
        while Instant.now < end {
            do throws(AttachError) {
                return try VMProcess(attachingTo: files, expecting: id)
            } catch  where error.isFinal {
                throw .attach(error)
            } catch {}
            let hasEnded: Bool
            do { hasEnded = try handle.waitForExit(within: Timing.vmmStartPoll) } catch {
                throw .system(error)
            }
            if hasEnded {
                throw .ended(
                    files.readRecordedExit()?.detail ?? files.readLastLogLine()
                        ?? "the VM's process ended at once")
            }
        }
        throw .timedOut(limit)
    }

    private func arguments(
        for record: VMRecord, files: VMFiles, start: VMStart, paused: Bool
    ) throws(LaunchError) -> [String] {
        // Text from users is joined with "=", because it may begin with "-".
        var arguments = [
            "--directory=\(files.folder)", "--id", "\(record.id)",
            "--spec=\(try specArgument(for: record.spec))",
        ]
        switch start {
        case .incoming(let kernel):
            arguments.append("--incoming")
            // Without its kernel on this host the VM runs, but cannot be reset.
            arguments += (try? kernelArguments(for: kernel, of: record)) ?? []
        case .restore(let path): arguments.append("--restore=\(path)")
        case .boot(let kernel): arguments += try kernelArguments(for: kernel, of: record)
        }
        if paused, !start.isIncoming { arguments.append("--paused") }
        return arguments
    }

    private func specArgument(for spec: VMSpec) throws(LaunchError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return String(decoding: try encoder.encode(spec), as: UTF8.self) } catch {
            throw .ended("the VM's spec cannot be written as JSON: \(error)")
        }
    }

    /// Throws when a VM cannot boot again on this host.
    func checkKernelIsUsable(for record: VMRecord) throws(LaunchError) {
        _ = try kernelArguments(for: record.spec.kernel, of: record)
    }

    private func kernelArguments(
        for kernel: KernelSource, of record: VMRecord
    ) throws(LaunchError) -> [String] {
        switch kernel {
        case .unknown: throw .kernelUnknown(restoredFrom: record.restoredFrom)
        case .shipped:
            guard let shippedKernel else {
                throw .ended("this agent was built without the shipped kernel: give --kernel")
            }
            return ["--kernel=\(shippedKernel)"]
        case .files(let kernel, let initrd):
            for path in [kernel] + (initrd.map { [$0] } ?? []) {
                do { _ = try RegularFile.openForReading(at: path) } catch {
                    throw .noFile(path: path, error)
                }
            }
            return ["--kernel=\(kernel)"] + (initrd.map { ["--initrd=\($0)"] } ?? [])
        }
    }
}
