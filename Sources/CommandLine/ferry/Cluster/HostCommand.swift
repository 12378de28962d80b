// ferry host: the hosts of the cluster.

import API
import ClusterText
import ArgumentParser
import Clients
import Model

struct HostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "Lists, shows and forgets the cluster's hosts.",
        discussion: """
            With a controller, hosts are shown as the cluster sees them: state, load, what is promised. Without \
            one, as their agents answer.

            Example:
              ferry host list
            """,
        subcommands: [List.self, Show.self, Forget.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the hosts.",
            discussion: """
                Example:
                  ferry host list
                """)
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                guard let controller = session.controller else {
                    return try await printAgentHosts(in: session, output: output)
                }
                let hosts = try await controller.fetchAllHosts()
                try output.printResult(Page(items: hosts), text: hostTableText(for: hosts))
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a host: state, load and what is promised; cores, CPU features, KVM.",
            discussion: """
                With a controller it shows what the cluster knows of the host; --agent asks the host itself.

                Example:
                  ferry host show host-a
                """)
        @Argument(help: "The host's name.", completion: .hostNames, transform: { try HostName($0) })
        var name: HostName
        @Flag(help: "Ask its agent: CPU features, what its KVM can do.")
        var agent = false
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                if !agent, let controller = session.controller {
                    let host = try await controller.readClusterHost(named: name)
                    try output.printResult(host, text: host.text)
                } else {
                    let host = try await session.requireAgent(on: name).readHostInfo()
                    try output.printResult(host, text: hostDetailText(for: host))
                }
            }
        }
    }

    struct Forget: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forgets a host that is gone for good; needs a controller.",
            discussion: """
                The host must not be active and must have no VMs. When its agent registers again, the host is \
                known again.

                Example:
                  ferry host forget host-c
                """)
        @Argument(help: "The host's name.", completion: .hostNames, transform: { try HostName($0) })
        var name: HostName
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                let controller = try session.requireController(for: "ferry host forget")
                try await controller.forgetHost(named: name)
                try output.printResult(["forgotten": name.text], text: "host \(name) is forgotten")
            }
        }
    }
}

private struct HostLine: Encodable {
    var name: HostName
    var apiAddress: String
    var isReachable: Bool
    var problem: String?
    var host: HostInfo?
}

private struct HostList: Encodable { var hosts: [HostLine] }

/// Every host of the file as its agent answers, those that do not answer too.
func printAgentHosts(in session: Session, output: OutputOptions) async throws {
    let answers = try await session.client.queryAllAgents { agent throws(ClientError) in
        try await agent.readHostInfo()
    }
    switch output.output {
    case .json:
        let lines = answers.map { agent, answer in
            switch answer {
            case .success(let host):
                HostLine(
                    name: agent.name, apiAddress: agent.address.description, isReachable: true,
                    host: host)
            case .failure(let error):
                HostLine(
                    name: agent.name, apiAddress: agent.address.description, isReachable: false,
                    problem: "\(error)")
            }
        }
        print(try encodedJSON(of: HostList(hosts: lines)))
    case .text:
        var table = Table("HOST", "API", "AGENT", "VMS", "CORES", "MEMORY", "AVAILABLE")
        for (agent, answer) in answers {
            switch answer {
            case .success(let host):
                table.addRow(
                    agent.name.text, host.apiAddress, "process \(host.processID)", "\(host.vms)",
                    "\(host.cores)", byteCountText(for: host.memoryBytes),
                    byteCountText(for: host.memoryAvailableBytes))
            case .failure:
                table.addRow(agent.name.text, agent.address.description, "does not answer")
            }
        }
        print(table.text)
    }
}

private func hostDetailText(for host: HostInfo) -> String {
    let kvm = host.kvm.problem ?? "API version \(host.kvm.apiVersion ?? 0)"
    let capabilities = host.kvm.capabilities.sorted { $0.key < $1.key }
        .map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    return """
        name          \(host.name) of cluster \(host.cluster)
        agent         \(host.agentVersion), process \(host.processID)
        api           \(host.apiAddress)
        peer          \(host.peerAddress)
        kernel        \(host.kernelVersion)
        cores         \(host.cores)
        memory        \(byteCountText(for: host.memoryBytes)), \(byteCountText(for: host.memoryAvailableBytes)) available, \(byteCountText(for: host.memoryReserveBytes)) kept back
        vms           \(host.vms)
        kvm           \(kvm)
        capabilities  \(capabilities)
        cpu features  \(host.cpuFeatures.joined(separator: " "))
        """
}
