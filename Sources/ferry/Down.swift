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
            with --keep-vms they go on running without their agents. Keys and state stay.
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
                var stoppedVMs: [String] = []
                if !keepVMs { stoppedVMs = try await stopVMs(session) }
                // Open connections would only hold the agents up.
                await session.client.shutdown()
                let local = LocalAgents(cluster: session.cluster)
                var stoppedAgents: [String] = []
                for host in session.cluster.hosts where try await local.stop(host.name) {
                    stoppedAgents.append(host.name.text)
                }
                switch output.output {
                case .json:
                    print(try jsonText(["stoppedVMs": stoppedVMs, "stoppedAgents": stoppedAgents]))
                case .text:
                    print(
                        stoppedAgents.isEmpty
                            ? "no agent was running"
                            : "stopped the agents of \(stoppedAgents.joined(separator: ", "))")
                }
            }
        }
    }

    private func stopVMs(_ session: Session) async throws -> [String] {
        let (vms, _) = await session.allVMs()
        let running = vms.filter { $0.processID != nil && $0.state != .incoming }
        if !running.isEmpty, output.output == .text {
            print(
                "stopping \(running.count) VMs: \(running.map(\.name.text).joined(separator: ", "))"
            )
        }
        for vm in running {
            _ = try await session.agent(vm.host).perform(.stop, on: vm.name)
        }
        return running.map(\.name.text)
    }
}

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows the cluster: hosts, VMs, migrations under way.")

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
