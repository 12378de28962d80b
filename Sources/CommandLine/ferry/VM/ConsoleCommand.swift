// ferry vm console: the terminal becomes the VM's serial console.

import API
import ArgumentParser
import Clients
import Host
import Model

struct ConsoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console", abstract: "Connects this terminal to a VM's serial console.",
        discussion: """
            It shows what the VM writes from now on (`ferry vm log` has what came before) and sends what you \
            type. Ctrl-] leaves; the VM runs on. When standard input is no terminal, its bytes are sent, and \
            output goes on after its end until the VM ends. Much input at once waits until the guest takes it; a \
            guest that takes none for some seconds ends the command.

            Example:
              ferry vm console web
            """)

    private static let escape: UInt8 = 0x1d
    /// Pasted text goes in pieces, each when the guest has taken the one before.
    private static let pieceBytesMax = 256

    @OptionGroup var vm: VMOptions

    func validate() throws {
        if vm.output.output == .json {
            throw ValidationError(
                "a console has no JSON form; for what the VM wrote, use `ferry vm log --output json`"
            )
        }
    }

    func run() async throws {
        try await vm.withHostAgent { agent in
            let terminal = RawTerminal()
            if terminal != nil { printErrorLine("connected to \(vm.name); Ctrl-] leaves\r") }
            defer { if StandardStreams.errorIsTerminal { printErrorLine("\r") } }
            try await connectConsole(to: agent, isTerminal: terminal != nil)
            _ = consume terminal
        }
    }

    /// Returns when the VM ends or the user leaves.
    private func connectConsole(to agent: AgentClient, isTerminal: Bool) async throws {
        let name = vm.name
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await agent.followConsole(of: name) { bytes in
                    try StandardStreams.writeBytes(bytes)
                    return true
                }
            }
            group.addTask {
                for await bytes in TypedInput.makeByteStream() {
                    let end = isTerminal ? bytes.firstIndex(of: Self.escape) : nil
                    let typed = Array(bytes[..<(end ?? bytes.endIndex)])
                    for start in stride(from: 0, to: typed.count, by: Self.pieceBytesMax) {
                        let piece = typed[start..<min(start + Self.pieceBytesMax, typed.count)]
                        try await agent.sendConsoleInput(Array(piece), to: name)
                    }
                    if end != nil { return }
                }
                // The input has ended, the output has not.
                try await Task.sleep(for: .seconds(Int64.max >> 32))
            }
            _ = try await group.next()
            group.cancelAll()
        }
    }
}
