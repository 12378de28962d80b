// ferry-agent: serves one host of a cluster.

import Agent
public import ArgumentParser
import Foundation
import Host
public import Logging
import Model
import Serving

@main
struct FerryAgent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ferry-agent",
        abstract: "Serves one host of a Ferry cluster: runs its VMs, moves them, answers its API.",
        discussion: """
            The agent keeps what it must remember in the cluster file's state-folder, under hosts/HOST, and \
            reads its keys from keys-folder/agent-HOST. Its VMs are processes of their own (ferry-vmm): they \
            go on running when the agent ends, and it finds them again when it starts.

            SIGTERM ends it in good order: migrations that still can be are cancelled, their VMs run on here. \
            Under systemd, use KillMode=process, so that VMs are not ended with it.

            Example:
              ferry-agent --config /etc/ferry/cluster.yaml --host host-a
            """,
        version: ferryVersion)

    @Option(help: ArgumentHelp("The cluster file.", valueName: "file"))
    var config: String

    @Option(
        help: ArgumentHelp("Which host of the cluster file this one is.", valueName: "name"),
        transform: { try HostName($0) })
    var host: HostName

    @Option(help: "How log lines look, on standard error: text or json.")
    var logFormat = LogFormat.text

    @Option(help: "The least severe lines that are logged: trace, debug, info, warning, error.")
    var logLevel = Logger.Level.info

    @Option(
        help: ArgumentHelp(
            "The ferry-vmm program (default: $FERRY_VMM, else the one beside this program).",
            valueName: "file"))
    var vmm: String?

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        do {
            try await AgentService.runUntilShutdown(
                with: AgentOptions(
                    config: config, host: host, vmm: vmm ?? Self.vmmBesideThis(),
                    logFormat: logFormat, logLevel: logLevel))
        } catch {
            FileHandle.standardError.write(Data("ferry-agent: \(error)\n".utf8))
            throw ExitCode.failure
        }
    }

    private static func vmmBesideThis() -> String {
        if let path = ProcessInfo.processInfo.environment["FERRY_VMM"] { return path }
        return ProgramFolder.path + "/ferry-vmm"
    }
}

extension LogFormat: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
