// One qemu-system-x86_64, started like the other contestant's vmm: no firmware screens, no devices but a console.

import Foundation
import Host
import Model

final class QEMUProcess {
    private let process = Process()
    private let qmpPath: String

    var id: Int32 { process.processIdentifier }

    init(for load: Load, folder: String, name: String, incoming: Bool) throws {
        let consolePath = Self.consolePath(folder: folder, name: name)
        qmpPath = "\(folder)/\(name)-qmp.sock"
        process.executableURL = URL(filePath: "/usr/bin/qemu-system-x86_64")
        process.arguments =
            [
                "-M", "microvm,x-option-roms=off,accel=kvm", "-cpu", "qemu64,-svm",
                "-m", "\(load.memory.bytes >> 20)", "-smp", "1", "-kernel", load.guestPath,
                "-append", load.commandLine, "-nodefaults", "-no-user-config", "-display", "none",
                "-chardev", "socket,id=console,path=\(consolePath),server=on,wait=off",
                "-serial", "chardev:console", "-qmp", "unix:\(qmpPath),server=on,wait=off",
            ] + (incoming ? ["-incoming", "defer"] : [])
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    static func consolePath(folder: String, name: String) -> String {
        "\(folder)/\(name)-console.sock"
    }

    /// QEMU makes its sockets a moment after it starts.
    func connectToMonitor() async throws -> QMPClient {
        let deadline = Instant.now + .seconds(10)
        while true {
            do { return try QMPClient(socketPath: qmpPath) } catch let error as SystemError {
                guard process.isRunning, Instant.now < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    func killAndWait() {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
