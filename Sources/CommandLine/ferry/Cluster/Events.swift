// ferry events: what changes in the cluster, as it changes.

import API
import ArgumentParser
import Clients
import ClusterText
import Foundation
import Host
import Model

struct Events: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follows what changes in the cluster, a line each; needs a controller.",
        discussion: """
            Each line has the revision of the cluster's state. --after REVISION tells what came since then, as \
            far as the store remembers; `reset` says that it does not, and that everything should be listed \
            again. With --output json each line is one JSON text.

            Example:
              ferry events
              ferry events --after 4711 --output json
            """)

    @Option(help: ArgumentHelp("Begin behind this revision.", valueName: "revision"))
    var after: UInt64?
    @Option(help: ArgumentHelp("End after so many.", valueName: "n"))
    var count: Int?
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count must be 1 or more") }
    }

    func run() async throws {
        try await Session.withConnection(to: cluster, reporting: output) { session in
            let controller = try session.requireController(for: "ferry events")
            var left = count ?? .max
            try await controller.followEvents(after: after) { event in
                // Each at once, also into a pipe.
                try StandardStreams.writeBytes(Array("\(try outputLine(for: event))\n".utf8))
                left -= 1
                return left > 0
            }
        }
    }

    private func outputLine(for event: ClusterEvent) throws -> String {
        switch output.output {
        case .text: return "\(event.revision)  \(event.text)"
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(EventLine(for: event)), as: UTF8.self)
        }
    }
}

/// An event as a program reads it: the thing under the name of its kind.
private struct EventLine: Encodable {
    var revision: UInt64
    var kind: String
    var host: ClusterHost?
    var vm: ClusterVM?
    var operation: OperationInfo?
    var balance: BalanceInfo?
    var deleted: String?

    init(for event: ClusterEvent) {
        revision = event.revision
        switch event.change {
        case .host(let info): (kind, host) = ("host", info)
        case .vm(let info): (kind, vm) = ("vm", info)
        case .operation(let info): (kind, operation) = ("operation", info)
        case .balance(let info): (kind, balance) = ("balance", info)
        case .deleted(let what, let name): (kind, deleted) = (what.rawValue, name)
        case .reset: kind = "reset"
        }
    }
}
