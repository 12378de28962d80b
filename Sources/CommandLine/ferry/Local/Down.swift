// ferry down: controllers, VMs, agents, in this order.

import API
import ArgumentParser
import Clients
import ClusterFile
import Model

struct Down: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stops the controllers, the VMs and the agents of a cluster on this machine.",
        discussion: """
            Controllers go first: else they would see to it that VMs run. Then VMs are stopped as `ferry vm stop` \
            does it, and can be started again after the next `ferry up`. With --keep-vms all go on running \
            without their agents, but for those with --on-failure restart: these stop by themselves when no \
            controller has renewed their host's lease. Keys and state stay. Migrations are cancelled first. A VM \
            that cannot be stopped does not keep the rest: it is named at the end, and the exit code is 1.

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
        try await Session.withConnection(to: cluster, reporting: output) { session in
            var report = DownReport()
            let shutdown = try ClusterShutdown(of: session, isQuiet: output.output == .json)
            await stopControllers(of: session.cluster, report: &report)
            if !keepVMs {
                let (stopped, failures) = await shutdown.shutDownVMs()
                report.stoppedVMs = stopped
                report.failures += failures
            }
            // Open connections would only hold the agents up.
            await session.closeClients()
            await stopAgents(of: session.cluster, report: &report)
            try output.printResult(report, text: report.text)
            guard report.failures.isEmpty else {
                throw CommandFailure(
                    .failed, code: "not_all_stopped",
                    message: "not everything is down: \(report.failures.joined(separator: "; "))")
            }
        }
    }

    private func stopControllers(of cluster: ClusterFile, report: inout DownReport) async {
        let local = LocalControllers(cluster: cluster)
        for controller in cluster.controllers {
            let daemon = local.controllerDaemon(named: controller.name)
            if await stopDaemon(daemon, report: &report) {
                report.stoppedControllers.append(controller.name.text)
            }
        }
    }

    private func stopAgents(of cluster: ClusterFile, report: inout DownReport) async {
        let local = LocalAgents(cluster: cluster)
        for host in cluster.hosts
        where await stopDaemon(local.agentDaemon(for: host.name), report: &report) {
            report.stoppedAgents.append(host.name.text)
        }
    }

    private func stopDaemon(_ daemon: LocalDaemon, report: inout DownReport) async -> Bool {
        do { return try await daemon.stopProcess() } catch {
            report.failures.append("the \(daemon.title) was not stopped: \(error)")
            return false
        }
    }
}

private struct DownReport: Encodable {
    var stoppedControllers: [String] = []
    var stoppedVMs: [String] = []
    var stoppedAgents: [String] = []
    /// Sentences.
    var failures: [String] = []

    var text: String {
        let parts = [
            stoppedControllers.isEmpty
                ? nil : "the controllers \(stoppedControllers.joined(separator: ", "))",
            stoppedAgents.isEmpty
                ? nil : "the agents of \(stoppedAgents.joined(separator: ", "))",
        ].compactMap { $0 }
        return parts.isEmpty
            ? "no agent was running" : "stopped \(parts.joined(separator: ", and "))"
    }
}
