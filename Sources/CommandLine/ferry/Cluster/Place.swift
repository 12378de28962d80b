// ferry place: where a VM would go, and why.

import API
import ArgumentParser
import Clients
import ClusterText
import Model

struct Place: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says which host a VM would be placed on; needs a controller.",
        discussion: """
            With --explain every host is listed: the filter that refused it, in words and figures, or its score \
            term by term; the chosen one has a star. Nothing is placed. A VM that runs is asked about as one to \
            be moved, so its own host is refused. Exit code 4: no host can take it.

            Example:
              ferry place --explain web
              ferry place --explain --memory 64GiB --vcpus 16 --label ssd --policy best-fit
            """)

    @Argument(
        help: "A VM that exists; without it, one as described.", completion: .vmNames,
        transform: { try VMName($0) })
    var vm: VMName?
    @Flag(help: "List every host with its reasons.")
    var explain = false
    @Option(
        help: ArgumentHelp("The policy (default: the cluster's).", valueName: "name"),
        completion: .policies)
    var policy: String?
    @OptionGroup(title: "A VM as described") var shape: VMShape
    @OptionGroup(title: "Its wishes") var wishes: VMPolicyOptions
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        let isDescribed = shape.memory != nil || shape.vcpus != nil || !wishes.given.isEmpty
        guard (vm != nil) != isDescribed else {
            throw ValidationError("give a VM's name, or describe one with --memory, --vcpus …")
        }
    }

    func run() async throws {
        try await Session.withConnection(to: cluster, reporting: output) { session in
            let controller = try session.requireController(for: "ferry place")
            let answer = try await controller.explainPlacement(of: try placementRequest())
            try output.printResult(answer, text: explain ? answer.text : answer.sentence)
            if answer.chosen == nil {
                throw ExitCode(CommandFailure.Kind.refused.rawValue)
            }
        }
    }

    private func placementRequest() throws -> ExplainPlacement {
        if let vm { return ExplainPlacement(vm: vm, policy: policy) }
        let described = CreateClusterVM(
            VMSpec(name: try VMName("such-a-vm"), shape: shape),
            policy: ClusterVMPolicy(options: wishes))
        return ExplainPlacement(new: described, policy: policy)
    }
}
