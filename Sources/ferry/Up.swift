// ferry up: a cluster on this machine, ready to use.

import ArgumentParser
import Client
import ClusterFile
import Host
import Keys
import Model

struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Starts the agents of a cluster on this machine.",
        discussion: """
            Makes the cluster's keys where they are missing, starts an agent for each host of the file, and \
            returns when all answer. What runs already is left as it is. The agents go on in the background \
            until `ferry down`; their logs are in state-folder/hosts/HOST/agent.log. $FERRY_AGENT names another \
            program than the ferry-agent beside this one.

            Example:
              ferry up cluster-configs/local-3.yaml
            """)

    @Argument(
        help:
            "The cluster file (default: that of the last `ferry up` here, else cluster-configs/local-3.yaml)."
    )
    var file: String?
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await reporting(output) {
            let cluster = try findCluster()
            try makeKeys(cluster)
            let session = try Session(cluster, keysFolder: cluster.operatorKeys)
            do {
                try await startAgents(session)
                try CurrentCluster.record(cluster.path)
                try await printHosts(session, output)
            } catch {
                await session.client.shutdown()
                throw error
            }
            await session.client.shutdown()
        }
    }

    private func findCluster() throws -> ClusterFile {
        if let file {
            return try ClusterFile(
                loading: CurrentCluster.absolute(file), relativeTo: CurrentCluster.currentFolder)
        }
        if try CurrentCluster.recorded() != nil { return try CurrentCluster.find(nil) }
        return try CurrentCluster.find("cluster-configs/local-3.yaml")
    }

    private func makeKeys(_ cluster: ClusterFile) throws {
        let authorityFolder = KeyFolder(cluster.authorityFolder)
        let holders =
            cluster.hosts.map { (Role.agent, $0.name) }
            + [(Role.operator, try HostName(ClusterFile.operatorName))]
        let missing = holders.filter {
            !File.isThere(KeyFolder(cluster.keysFolder(of: $0.0, $0.1)).certificate)
        }
        if missing.isEmpty { return }
        if !File.isThere(authorityFolder.authorityCertificate) {
            try ClusterAuthority(cluster: cluster.cluster).write(to: authorityFolder)
        }
        let authority = try ClusterAuthority(loading: authorityFolder)
        for (role, name) in missing {
            try authority.issue(
                role: role, name: name, to: KeyFolder(cluster.keysFolder(of: role, name)))
        }
    }

    private func startAgents(_ session: Session) async throws {
        let local = LocalAgents(cluster: session.cluster)
        var started: [(HostName, ProcessHandle)] = []
        for host in session.cluster.hosts where local.processID(of: host.name) == nil {
            started.append((host.name, try local.start(host.name)))
        }
        for (host, process) in started {
            try await local.waitUntilReady(host, process, session.agent(host))
        }
    }
}
