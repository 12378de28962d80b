// ferry fence: an operator's word that a host is off.

import API
import ArgumentParser
import Clients
import Host
import Model

struct Fence: AsyncParsableCommand {
    private static let risk = """
        the controller will believe that nothing runs on this host, and start its VMs elsewhere. If one of them \
        still runs there, two copies of it run, and its data may be lost. Switch the host off first, and make \
        sure that it stays off until its agent has heard of this
        """

    static let configuration = CommandConfiguration(
        abstract: "Says that an unreachable host is off, so that its VMs can start elsewhere.",
        discussion: """
            A host that is silent may still run its VMs. Those with --on-failure restart stop by themselves when \
            their host's lease ends, and start elsewhere without anybody's word; for the others somebody who has \
            looked must say it.

            Not safe: \(risk). So it asks for the host's name once more, or takes it from --confirm.

            Example:
              ferry fence host-c --confirm host-c
            """)

    @Argument(help: "The host.", completion: .hostNames, transform: { try HostName($0) })
    var host: HostName
    @Option(
        help: ArgumentHelp("The host's name again, instead of being asked.", valueName: "host"),
        transform: { try HostName($0) })
    var confirm: HostName?
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await Session.withConnection(to: cluster, reporting: output) { session in
            let controller = try session.requireController(for: "ferry fence")
            try confirmFencing()
            try printHostState(of: try await controller.fenceHost(named: host), output: output)
        }
    }

    private func confirmFencing() throws {
        if let confirm {
            if confirm == host { return }
            throw CommandFailure(
                .refused, code: "not_confirmed", message: "--confirm says \(confirm), not \(host)")
        }
        guard output.output == .text, StandardStreams.inputIsTerminal else {
            throw CommandFailure(
                .refused, code: "not_confirmed",
                message: "this is not safe: \(Self.risk). If it is off, add --confirm \(host)")
        }
        print(
            "This is not safe: \(Self.risk).\nType the host's name to go on: ", terminator: "")
        guard readLine() == host.text else {
            throw CommandFailure(.refused, code: "not_confirmed", message: "nothing was done")
        }
    }
}
