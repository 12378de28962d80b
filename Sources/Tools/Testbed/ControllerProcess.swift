// A ferry-controller that is started, signalled and started again: for load and kill tests.

package import Host
package import Model

/// Call `end` when done.
package struct ControllerProcess: Sendable {
    private static let stopLimit = Duration.seconds(20)

    package let name: HostName
    private let handle: ProcessHandle

    package var processID: Int32 { handle.processID }

    /// - Parameters:
    ///   - file: the cluster file.
    ///   - log: appended to.
    package static func startController(
        named name: HostName, file: String, log: String
    ) throws(SystemError) -> ControllerProcess {
        let processID = try DetachedProcess.startProgram(
            at: ProgramFolder.path + "/ferry-controller",
            arguments: ["--config", file, "--name", name.text, "--log-format", "json"], logPath: log
        )
        return ControllerProcess(name: name, handle: try ProcessHandle(processID))
    }

    package func sendSignal(number: Int32) throws(SystemError) { try handle.sendSignal(number) }

    package var hasEnded: Bool {
        get throws(SystemError) { try handle.waitForExit(within: .zero) }
    }

    /// Signals it and waits for its end.
    package func terminate(signal number: Int32 = 15) throws {
        try handle.sendSignal(number)
        guard try handle.waitForExit(within: Self.stopLimit) else {
            try handle.sendSignal(9)
            throw TestbedError("\(name) did not end within \(Self.stopLimit) of signal \(number)")
        }
        _ = handle.reapIfExited()
    }
}
