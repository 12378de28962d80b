// ferry vm create: by the controller where there is one, else by a word to an agent.

import API
import ArgumentParser
import Clients
import ClusterText
import Model

extension VMCommand {
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a VM and starts it.",
            discussion: """
                Without --kernel it runs pulse, a guest that comes with Ferry: it writes memory all the time, \
                checks every byte and prints a heartbeat; its options go into --cmdline. Paths are paths on the \
                host that the VM is made on; with a controller, the same on every host that may run it.

                With a controller the cluster keeps the VM: it chooses the host, and this waits until the VM \
                runs, or says why it does not (exit code 4 when no host can take it yet: it stays, and starts \
                when one can). A group is named with what counts as near, and whether it is a rule or a wish: \
                db, db:rack, db:zone:soft, db:host:soft=2; and for VMs that stay apart db:host:max=3.

                Example:
                  ferry vm create web --memory 1GiB --vcpus 2 --on host-a
                  ferry vm create linux --memory 512MiB --kernel /boot/vmlinuz --initrd /boot/initrd.img \\
                      --cmdline "console=ttyS0"
                  ferry vm create db-1 --memory 4GiB --label ssd --anti-affinity db:rack --on-failure restart
                """)

        @Argument(help: "The VM's name.", transform: { try VMName($0) })
        var name: VMName
        @OptionGroup var shape: VMShape
        @Option(
            help: ArgumentHelp("An ELF kernel with a PVH note, or a bzImage.", valueName: "file"))
        var kernel: String?
        @Option(help: ArgumentHelp("The initial RAM disk.", valueName: "file"))
        var initrd: String?
        @Option(help: ArgumentHelp("The kernel's command line.", valueName: "text"))
        var cmdline: String?
        @Option(
            help: ArgumentHelp(
                "The host it starts on (default: chosen by the controller, else the one with the most free memory).",
                valueName: "host"), completion: .hostNames,
            transform: { try HostName($0) })
        var on: HostName?
        @Flag(help: "Without a controller: do not let it run yet; `ferry vm resume` does.")
        var paused = false
        @OptionGroup(title: "With a controller") var wishes: VMPolicyOptions
        @Flag(help: "Keep it without starting it; `ferry vm start` does.")
        var stopped = false
        @Flag(help: "Return when the cluster knows it, not when it runs.")
        var noWait = false
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                if let controller = session.controller {
                    try await createManagedVM(through: controller)
                } else {
                    try await createAgentVM(in: session)
                }
            }
        }

        private var spec: VMSpec {
            var spec = VMSpec(name: name, shape: shape)
            spec.commandLine = cmdline
            if kernel != nil || initrd != nil {
                // The check of the spec refuses an initrd without a kernel.
                spec.kernel = .files(
                    kernel: kernel.map(CurrentCluster.absolutePath) ?? "",
                    initrd: initrd.map(CurrentCluster.absolutePath))
            }
            return spec
        }

        private func createManagedVM(through controller: ControllerClient) async throws {
            guard !paused else {
                throw CommandFailure(
                    .refused, code: "not_with_controller",
                    message:
                        "--paused is for VMs that no controller keeps: use --stopped, or `ferry vm pause \(name)` when it runs"
                )
            }
            var request = CreateClusterVM(spec, policy: ClusterVMPolicy(options: wishes))
            request.startOn = on
            request.policy.desired = stopped ? .stopped : .running
            // A request whose answer is lost can be sent again and makes no second VM.
            request.id = .random()
            var vm = try await controller.createVM(with: request)
            if !noWait, !stopped {
                let wait = VMWait(
                    controller: controller, name: name, isQuiet: output.output == .json)
                vm = try await wait.waitForGoal(.running) ?? vm
            }
            try printVMState(of: vm, output: output)
        }

        private func createAgentVM(in session: Session) async throws {
            let needing = wishes.given + (stopped ? ["--stopped"] : [])
            if !needing.isEmpty {
                _ = try session.requireController(for: needing.joined(separator: ", "))
            }
            let request = CreateVM(spec, paused: paused)
            try await refuseTakenName(in: session)
            let agent = try await session.agentForNewVM(on: on)
            try printVMState(of: try await agent.createVM(with: request), output: output)
        }

        /// Names are unique on a host; in a cluster without a controller this is what keeps them so.
        private func refuseTakenName(in session: Session) async throws {
            let (vms, _) = try await session.client.fetchAllVMs()
            if let other = vms.first(where: { $0.name == name }) {
                throw CommandFailure(
                    .refused, code: "name_taken",
                    message: "there is a VM \(name) on host \(other.host) already")
            }
        }
    }
}

extension Session {
    /// The named host, or the one with the most memory available of those that answer.
    fileprivate func agentForNewVM(on host: HostName?) async throws -> AgentClient {
        if let host { return try requireAgent(on: host) }
        let answers = try await client.queryAllAgents { agent throws(ClientError) in
            try await agent.readHostInfo()
        }
        let free = answers.compactMap { agent, answer in
            (try? answer.get()).map { (agent, $0.memoryAvailableBytes, $0.vms) }
        }
        // Agents that share one machine report the same memory: then the one with the fewest VMs.
        let best = free.max { ($0.1 >> 28, -$0.2) < ($1.1 >> 28, -$1.2) }
        guard let best else {
            throw CommandFailure(.unreachable, code: "unreachable", message: "no host answers")
        }
        return best.0
    }
}
