// ferry vm: create, look at, and end virtual machines.

import API
import ClusterText
import ArgumentParser
import Client
import Host
import Model

struct VMCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vm", abstract: "Creates, shows and ends virtual machines.",
        discussion: """
            A VM is found by its name on whichever host it is. `stop` cuts its power and keeps it: `start` boots \
            it again. `delete` ends it for good. `save` writes memory and state to a file and lets it run on; \
            `restore` makes a new VM from such a file.

            Example:
              ferry vm create web --memory 1GiB --vcpus 2 --on host-a
              ferry vm console web
            """,
        subcommands: [
            Create.self, List.self, Show.self, ConsoleCommand.self, Log.self, Pause.self,
            Resume.self, Start.self, Stop.self, Reset.self, Save.self, Restore.self, Delete.self,
            Recover.self,
        ])
}

/// A VM by name, and where, when a name alone does not say.
struct VMOptions: ParsableArguments {
    @Argument(help: "The VM's name.", transform: { try VMName($0) })
    var name: VMName
    @Option(
        help: ArgumentHelp("The host it is on (default: looked for).", valueName: "host"),
        transform: { try HostName($0) })
    var on: HostName?
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    /// Calls with the agent that has the VM.
    func withAgent(_ body: (AgentClient) async throws -> Void) async throws {
        try await reporting(output) {
            try await Session.with(cluster) { session in
                try await body(session.agent(withVM: name, on: on))
            }
        }
    }

    func perform(_ action: VMAction) async throws {
        try await withAgent { agent in
            try printVM(try await agent.perform(action, on: name), output)
        }
    }
}

func printVM(_ vm: VMInfo, _ output: OutputOptions) throws {
    switch output.output {
    case .json: print(try jsonText(vm))
    case .text: print("\(vm.name) is \(vm.state.rawValue) on \(vm.host)")
    }
}

extension VMCommand {
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a VM and starts it.",
            discussion: """
                Without --kernel it runs pulse, a guest that comes with Ferry: it writes memory all the time, \
                checks every byte and prints a heartbeat; its options go into --cmdline. Paths are paths on the \
                host that the VM is made on.

                Example:
                  ferry vm create web --memory 1GiB --vcpus 2 --on host-a
                  ferry vm create linux --memory 512MiB --kernel /boot/vmlinuz --initrd /boot/initrd.img \\
                      --cmdline "console=ttyS0"
                """)

        @Argument(help: "The VM's name.", transform: { try VMName($0) })
        var name: VMName
        @Option(help: "Memory, such as 512MiB or 4GiB.", transform: sizeArgument)
        var memory = ByteCount.mebibytes(512)
        @Option(help: "How many virtual CPUs.")
        var vcpus = 1
        @Option(
            help: ArgumentHelp("An ELF kernel with a PVH note, or a bzImage.", valueName: "file"))
        var kernel: String?
        @Option(help: ArgumentHelp("The initial RAM disk.", valueName: "file"))
        var initrd: String?
        @Option(help: ArgumentHelp("The kernel's command line.", valueName: "text"))
        var cmdline: String?
        @Option(
            help: ArgumentHelp(
                "The host (default: the one with the most free memory).", valueName: "host"),
            transform: { try HostName($0) })
        var on: HostName?
        @Flag(help: "Use 2 MiB huge pages for its memory.")
        var hugePages = false
        @Option(
            help: "The longest pause that a migration may cause, such as 50ms.",
            transform: durationArgument)
        var downtimeLimit: Duration?
        @Flag(help: "Do not let it run yet; `ferry vm resume` does.")
        var paused = false
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await reporting(output) {
                try await Session.with(cluster) { session in
                    let request = CreateVM(
                        name: name, memoryBytes: memory.bytes, vcpus: vcpus,
                        hugePages: hugePages, downtimeLimitMs: downtimeLimit?.milliseconds,
                        commandLine: cmdline, kernelPath: kernel.map(CurrentCluster.absolute),
                        initrdPath: initrd.map(CurrentCluster.absolute), paused: paused)
                    try await refuseTaken(session)
                    let agent = try await session.agentForNewVM(on: on)
                    try printVM(try await agent.create(request), output)
                }
            }
        }

        /// Names are unique on a host; within a cluster this is what keeps them so.
        private func refuseTaken(_ session: Session) async throws {
            let (vms, _) = await session.allVMs()
            if let other = vms.first(where: { $0.name == name }) {
                throw CommandFailure(
                    .refused, code: "name_taken",
                    "there is a VM \(name) on host \(other.host) already")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the VMs of all hosts.",
            discussion: """
                Example:
                  ferry vm list
                """)
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await reporting(output) {
                try await Session.with(cluster) { session in
                    let (vms, silent) = await session.allVMs()
                    switch output.output {
                    case .json: print(try jsonText(VMList(vms: vms)))
                    case .text: print(vmTable(vms))
                    }
                    for error in silent { printError("ferry: \(error)") }
                    if !silent.isEmpty { throw ExitCode(CommandFailure.Kind.unreachable.rawValue) }
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows one VM.",
            discussion: """
                Example:
                  ferry vm show web
                """)
        @OptionGroup var vm: VMOptions

        func run() async throws {
            try await vm.withAgent { agent in
                let info = try await agent.vm(vm.name)
                switch vm.output.output {
                case .json: print(try jsonText(info))
                case .text: print(vmText(info))
                }
            }
        }
    }

    struct Log: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the end of what a VM wrote to its serial console.",
            discussion: """
                Example:
                  ferry vm log web --tail 4096
                """)
        @Option(help: "How many bytes from the end, at most 2 MiB.")
        var tail = 65536
        @OptionGroup var vm: VMOptions

        func run() async throws {
            try await vm.withAgent { agent in
                let bytes = try await agent.log(vm.name, tailBytes: tail)
                switch vm.output.output {
                case .json: print(try jsonText(["log": String(decoding: bytes, as: UTF8.self)]))
                case .text: try StandardStreams.write(bytes)
                }
            }
        }
    }
}

extension Session {
    /// The named host, or the one with the most memory available of those that answer.
    func agentForNewVM(on host: HostName?) async throws -> AgentClient {
        if let host { return try agent(host) }
        let answers = await eachAgent { agent throws(ClientError) in try await agent.host() }
        let free = answers.compactMap { agent, answer in
            (try? answer.get()).map { (agent, $0.memoryAvailableBytes, $0.vms) }
        }
        // Agents that share one machine report the same memory: then the one with the fewest VMs.
        let best = free.max { ($0.1 >> 28, -$0.2) < ($1.1 >> 28, -$1.2) }
        guard let best else {
            throw CommandFailure(.unreachable, code: "unreachable", "no host answers")
        }
        return best.0
    }
}
