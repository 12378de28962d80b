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
        try await reporting(output) {
            let cluster = try findCluster()
            try makeKeys(cluster)
            let session = try Session(cluster, access: .keys(folder: cluster.operatorKeys))
            do {
                try await start(session)
                await session.close()
            } catch {
                await session.close()
                throw error
            }
        }
    }

    private func start(_ session: Session) async throws {
        let controllers = LocalControllers(cluster: session.cluster)
        try controllers.refuseSilentStore()
        try await LocalAgents(cluster: session.cluster).start(try session.client)
        if let controller = session.controller { try await controllers.start(controller) }
        try CurrentCluster.record(session.cluster.path)
        if let controller = session.controller { try await controllers.waitForAgents(controller) }
        try await printHosts(session, output)
        if output.output == .text, let info = try await session.controller?.cluster() {
            print("\n\(info.text)")
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
            + cluster.controllers.map { (Role.controller, $0.name) }
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
}
