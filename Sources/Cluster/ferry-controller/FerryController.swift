// ferry-controller: turns agents into one cluster.

public import ArgumentParser
import Controller
import Foundation
public import Logging
import Model
import Serving

@main
struct FerryController: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ferry-controller",
        abstract: "Places a cluster's VMs, keeps its load level, drains its hosts; serves its API.",
        discussion: """
            The controller keeps the cluster's state in the store that the cluster file names: a SQLite file in \
            state-folder, under controllers/NAME, or etcd. It reads its keys from keys-folder/controller-NAME. \
            With etcd, several controllers can run; one leads, and another takes over within seconds when it ends.

            SIGTERM ends it in good order. Agents and VMs go on without it; what was under way goes on when a \
            controller leads again.

            Example:
              ferry-controller --config /etc/ferry/cluster.yaml --name controller-1
            """,
        version: ferryVersion)

    @Option(help: ArgumentHelp("The cluster file.", valueName: "file"))
    var config: String

    @Option(
        help: ArgumentHelp(
            "Which controller of the cluster file this one is.", valueName: "name"),
        transform: { try HostName($0) })
    var name: HostName

    @Option(help: "How log lines look, on standard error: text or json.")
    var logFormat = LogFormat.text

    @Option(help: "The least severe lines that are logged: trace, debug, info, warning, error.")
    var logLevel = Logger.Level.info

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        do {
            try await ControllerService.runController(
                options: ControllerOptions(
                    config: config, name: name, logFormat: logFormat, logLevel: logLevel))
        } catch {
            FileHandle.standardError.write(Data("ferry-controller: \(error)\n".utf8))
            throw ExitCode.failure
        }
    }
}

extension LogFormat: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
