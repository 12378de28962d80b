// ferry up: a cluster on this machine, ready to use.

import ArgumentParser
import Clients
import ClusterFile
import ClusterText
import Host
import Keys
import Model

struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Starts the agents and controllers of a cluster on this machine.",
        discussion: """
            Makes the cluster's keys where they are missing, starts an agent for each host of the file and the \
            controllers that it names, and returns when all answer and every agent has registered. What runs \
            already is left as it is. They go on in the background until `ferry down`; their logs are \
            state-folder/hosts/HOST/agent.log and state-folder/controllers/NAME/controller.log. $FERRY_AGENT \
            and $FERRY_CONTROLLER name other programs than those beside this one. An etcd that the file names \
            as the store must run already.

            Example:
              ferry up cluster-configs/local-3.yaml
            """)

    @Argument(
        help:
            "The cluster file (default: that of the last `ferry up` here, else cluster-configs/local-3.yaml).",
        completion: .file(extensions: ["yaml", "yml"]))
    var file: String?
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await reportFailures(to: output) {
            let cluster = try findCluster()
            try makeMissingKeys(for: cluster)
            let session = try Session(to: cluster, access: .keys(folder: cluster.operatorKeys))
            do {
                try await startCluster(in: session)
                await session.closeClients()
            } catch {
                await session.closeClients()
                throw error
            }
        }
    }

    private func startCluster(in session: Session) async throws {
        let controllers = LocalControllers(cluster: session.cluster)
        try controllers.refuseSilentStore()
        try await LocalAgents(cluster: session.cluster).startAgents(using: try session.client)
        if let controller = session.controller {
            try await controllers.startControllers(using: controller)
        }
        try CurrentCluster.recordCluster(file: session.cluster.path)
        if let controller = session.controller {
            try await controllers.waitForAgents(registeredAt: controller)
        }
        try await printAgentHosts(in: session, output: output)
        if output.output == .text, let info = try await session.controller?.readClusterInfo() {
            print("\n\(info.text)")
        }
    }

    private func findCluster() throws -> ClusterFile {
        if let file {
            return try ClusterFile(
                loading: CurrentCluster.absolutePath(for: file),
                relativeTo: CurrentCluster.currentFolder)
        }
        if try CurrentCluster.recordedCluster() != nil {
            return try CurrentCluster.loadClusterFile(named: nil)
        }
        return try CurrentCluster.loadClusterFile(named: "cluster-configs/local-3.yaml")
    }

    private func makeMissingKeys(for cluster: ClusterFile) throws {
        let authorityFolder = KeyFolder(cluster.authorityFolder)
        let holders =
            cluster.hosts.map { (Role.agent, $0.name) }
            + cluster.controllers.map { (Role.controller, $0.name) }
            + [(Role.operator, try HostName(ClusterFile.operatorName))]
        let missing = holders.filter {
            !File.isPresent(at: KeyFolder(cluster.keysFolder(for: $0.0, named: $0.1)).certificate)
        }
        if missing.isEmpty { return }
        if !File.isPresent(at: authorityFolder.authorityCertificate) {
            try ClusterAuthority(cluster: cluster.cluster).writeKeyFiles(to: authorityFolder)
        }
        let authority = try ClusterAuthority(loading: authorityFolder)
        for (role, name) in missing {
            try authority.issueCertificate(
                as: role, name: name, to: KeyFolder(cluster.keysFolder(for: role, named: name)))
        }
    }
}
