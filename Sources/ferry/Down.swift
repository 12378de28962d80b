// ferry down and ferry status.

import API
import ArgumentParser
import Client
import ClusterFile
import Model

struct Down: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stops the VMs and the agents of a cluster on this machine.",
        discussion: """
            VMs are stopped as `ferry vm stop` does it, and can be started again after the next `ferry up`; \
            with --keep-vms they go on running without their agents. Keys and state stay. Migrations are \
            cancelled first. A VM that cannot be stopped does not keep the rest: it is named at the end, and the \
            exit code is 1.

            Example:
              ferry down
            """)

    // The name that would be made of this one is keep-v-ms.
    @Flag(
        name: .customLong("keep-vms"),
        help: "Leave the VMs running; the next `ferry up` finds them again.")
    var keepVMs = false
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await reporting(output) {
            try await Session.with(cluster) { session in
                var report = DownReport()
                if !keepVMs {
                    let shutdown = ClusterShutdown(session, isQuiet: output.output == .json)
                    (report.stoppedVMs, report.failures) = await shutdown.run()
                }
                // Open connections would only hold the agents up.
                await session.client.shutdown()
                await stopAgents(session.cluster, &report)
                switch output.output {
                case .json: print(try jsonText(report))
                case .text:
                    print(
                        report.stoppedAgents.isEmpty
                            ? "no agent was running"
                            : "stopped the agents of \(report.stoppedAgents.joined(separator: ", "))"
                    )
                }
                guard report.failures.isEmpty else {
                    throw CommandFailure(
                        .failed, code: "not_all_stopped",
                        "not everything is down: \(report.failures.joined(separator: "; "))")
                }
            }
        }
    }

    private func stopAgents(_ cluster: ClusterFile, _ report: inout DownReport) async {
        let local = LocalAgents(cluster: cluster)
        for host in cluster.hosts {
            do {
                if try await local.stop(host.name) { report.stoppedAgents.append(host.name.text) }
            } catch {
                report.failures.append("the agent of \(host.name) was not stopped: \(error)")
            }
        }
    }
}

private struct DownReport: Encodable {
    var stoppedVMs: [String] = []
    var stoppedAgents: [String] = []
    /// Sentences.
    var failures: [String] = []
}

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows the cluster: hosts, VMs, migrations under way.",
        discussion: """
            Example:
              ferry status
            """)

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await reporting(output) {
            try await Session.with(cluster) { session in
                if output.output == .json { return try await printHosts(session, output) }
                print("cluster \(session.cluster.cluster), \(session.cluster.path)\n")
                try await printHosts(session, output)
                let (vms, _) = await session.allVMs()
                if !vms.isEmpty { print("\n\(vmTable(vms))") }
                let answers = await session.eachAgent { agent throws(ClientError) in
                    try await agent.migrations()
                }
                let running = answers.flatMap { (try? $0.answer.get()) ?? [] }
                    .filter { !$0.isOver }
                if !running.isEmpty { print("\n\(migrationTable(running))") }
            }
        }
    }
}
