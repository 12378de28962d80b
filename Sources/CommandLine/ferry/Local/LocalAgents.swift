// The agents of a cluster that runs on this machine. A stopped agent's VMs run on.

import API
import Clients
import ClusterFile
import Host
import Model

struct LocalAgents {
    let cluster: ClusterFile

    func daemon(_ host: HostName) -> LocalDaemon {
        let folder = cluster.stateFolder(of: host)
        return LocalDaemon(
            title: "agent of \(host)",
            program: LocalDaemon.program("ferry-agent", unless: "FERRY_AGENT"),
            arguments: ["--config", cluster.path, "--host", host.text], folder: folder,
            log: "\(folder)/agent.log", failureCode: "agent_failed", variable: "FERRY_AGENT")
    }

    /// Starts those that do not run, and returns when all that it started answer.
    func start(_ client: ClusterClient) async throws {
        var started: [(HostName, ProcessHandle)] = []
        for host in cluster.hosts where daemon(host.name).processID == nil {
            started.append((host.name, try daemon(host.name).start()))
        }
        for (host, process) in started {
            let agent = client.host(host)
            try await daemon(host).waitUntilReady(process) {
                // Another agent may answer there, when this one found its port taken.
                (try? await agent?.host())?.processID == process.processID
            }
        }
    }
}
