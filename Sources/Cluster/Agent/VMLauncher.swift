// Starts ferry-vmm processes.

import FoundationEssentials
package import Host
package import Model
import VMControl

/// How a VM comes to life.
package enum Birth: Hashable, Sendable {
    case boot(KernelSource)
    /// Its memory and state will arrive from another host. The kernel is for resets, where it is here.
    case incoming(KernelSource)
    case restore(path: String)

    fileprivate var isIncoming: Bool {
        if case .incoming = self { true } else { false }
    }
}

/// Why a ferry-vmm did not start. Nothing of it is left.
package enum LaunchError: Error, Sendable, CustomStringConvertible {
    case system(SystemError)
    /// It ended by itself; these are its words.
    case ended(String)
    case attach(AttachError)
    case timedOut(Duration)
    /// `restoredFrom`: the saved file that the VM was made from, where that is known.
    case kernelUnknown(restoredFrom: String?)
    /// It ended at once with a kernel of the user's; these are its words.
    case kernelRefused(String)
    case noFile(path: String, RegularFileError)

    package var description: String {
        switch self {
        case .system(let error): "the VM's process cannot be started: \(error)"
        case .ended(let words): words
        case .attach(let error): "the VM's process cannot be reached: \(error)"
        case .timedOut(let limit): "the VM's process was not ready after \(limit)"
        case .kernelUnknown(let path):
            "this VM was restored from \(path ?? "a saved file"), which holds its memory and state but not its kernel: it can only run on, never boot again; restore it from such a file again, or create a new one"
        case .kernelRefused(let words): words
        case .noFile(let path, let error): "\(path) cannot be used on this host: \(error)"
        }
    }
}

/// Knows where ferry-vmm is and what it is told.
package struct VMLauncher: Sendable {
    /// The program.
    package let program: String
    /// The kernel for VMs that bring none.
    package let shippedKernel: String?

    package init(program: String, shippedKernel: String?) {
        self.program = program
        self.shippedKernel = shippedKernel
    }

    /// Starts one and returns when it answers. Blocks. What earlier ones left in the folder is removed.
    package func start(
        _ record: VMRecord, files: VMFiles, birth: Birth, paused: Bool
    ) throws(LaunchError) -> VMProcess {
        let arguments = try arguments(for: record, files: files, birth: birth, paused: paused)
        let handle: ProcessHandle
        do {
            for file in [files.controlSocket, files.consoleSocket, files.exit] {
                try File.remove(file)
            }
            handle = try ProcessHandle(
                DetachedProcess.start(program, arguments, log: files.vmmLog))
        } catch { throw .system(error) }
        var limit = Limits.vmmStart(of: record.spec)
        if case .restore = birth { limit = Limits.vmmRestore }
        do throws(LaunchError) {
            return try waitUntilReady(handle, record.id, files, within: limit)
        } catch {
            var error = error
            if case .ended(let words) = error, case .boot(.files) = birth {
                error = .kernelRefused(words)
            }
            // Signals fail only for a process that is gone.
            try? handle.signal(9)
            _ = try? handle.waitForExit(within: Limits.vmmStop)
            _ = handle.reap()
            throw error
        }
    }

    private func waitUntilReady(
        _ handle: ProcessHandle, _ id: VMID, _ files: VMFiles, within limit: Duration
    ) throws(LaunchError) -> VMProcess {
        let end = Instant.now + limit
        while Instant.now < end {
            do throws(AttachError) {
                return try VMProcess(attachingTo: files, expecting: id)
            } catch  where error.isFinal {
                throw .attach(error)
            } catch {}
            let hasEnded: Bool
            do { hasEnded = try handle.waitForExit(within: Limits.vmmStartPoll) } catch {
                throw .system(error)
            }
            if hasEnded {
                throw .ended(
                    files.readExit()?.detail ?? files.lastLogLine()
                        ?? "the VM's process ended at once")
            }
        }
        throw .timedOut(limit)
    }

    private func arguments(
        for record: VMRecord, files: VMFiles, birth: Birth, paused: Bool
    ) throws(LaunchError) -> [String] {
        // "=" wherever the text is a user's: it may begin with "-".
        var words = [
            "--directory=\(files.folder)", "--id", "\(record.id)",
            "--spec=\(try text(of: record.spec))",
        ]
        switch birth {
        case .incoming(let kernel):
            words.append("--incoming")
            // Without its kernel here the VM still runs; it only cannot be reset.
            words += (try? boot(kernel, of: record)) ?? []
        case .restore(let path): words.append("--restore=\(path)")
        case .boot(let kernel): words += try boot(kernel, of: record)
        }
        if paused, !birth.isIncoming { words.append("--paused") }
        return words
    }

    private func text(of spec: VMSpec) throws(LaunchError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return String(decoding: try encoder.encode(spec), as: UTF8.self) } catch {
            throw .ended("the VM's spec cannot be written as JSON: \(error)")
        }
    }

    /// Throws when a VM cannot boot again on this host.
    func checkBoot(_ record: VMRecord) throws(LaunchError) {
        _ = try boot(record.spec.kernel, of: record)
    }

    private func boot(
        _ kernel: KernelSource, of record: VMRecord
    ) throws(LaunchError) -> [String] {
        switch kernel {
        case .unknown: throw .kernelUnknown(restoredFrom: record.restoredFrom)
        case .shipped:
            guard let shippedKernel else {
                throw .ended("this agent came without the shipped kernel: give --kernel")
            }
            return ["--kernel=\(shippedKernel)"]
        case .files(let kernel, let initrd):
            for path in [kernel] + (initrd.map { [$0] } ?? []) {
                do { _ = try RegularFile.open(path) } catch { throw .noFile(path: path, error) }
            }
            return ["--kernel=\(kernel)"] + (initrd.map { ["--initrd=\($0)"] } ?? [])
        }
    }
}
