// The agents of a cluster that runs on this machine. A stopped agent's VMs run on.

import API
import Clients
import ClusterFile
import Host
import Model

struct LocalAgents {
    let cluster: ClusterFile

    func agentDaemon(for host: HostName) -> LocalDaemon {
        let folder = cluster.stateFolder(of: host)
        return LocalDaemon(
            title: "agent of \(host)",
            program: LocalDaemon.programPath(named: "ferry-agent", overrideVariable: "FERRY_AGENT"),
            arguments: ["--config", cluster.path, "--host", host.text], folder: folder,
            log: "\(folder)/agent.log", failureCode: "agent_failed", variable: "FERRY_AGENT")
    }

    /// Starts those that do not run, and returns when all that it started answer.
    func startAgents(using client: ClusterClient) async throws {
        var started: [(HostName, ProcessHandle)] = []
        for host in cluster.hosts where agentDaemon(for: host.name).processID == nil {
            started.append((host.name, try agentDaemon(for: host.name).startProcess()))
        }
        for (host, process) in started {
            let agent = client.agentClient(named: host)
            try await agentDaemon(for: host).waitUntilReady(process: process) {
                // Another agent may answer there, when this one found its port taken.
                (try? await agent?.readHostInfo())?.processID == process.processID
            }
        }
    }
}
