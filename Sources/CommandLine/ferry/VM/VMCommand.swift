// ferry vm: create, look at, and end virtual machines.

import ClusterFile
import API
import ClusterText
import ArgumentParser
import Clients
import Host
import Model

struct VMCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vm", abstract: "Creates, shows and ends virtual machines.",
        discussion: """
            A VM is found by its name on whichever host it is. `stop` cuts its power and keeps it: `start` boots \
            it again. `delete` ends it for good. `save` writes memory and state to a file and lets it run on; \
            `restore` makes a new VM from such a file.

            With a controller, create, list, show, start, stop, update and delete are its business: it keeps VMs \
            as they are wanted. The others go to the agent where the VM is, and so do all with --on HOST.

            Example:
              ferry vm create web --memory 1GiB --vcpus 2 --on host-a
              ferry vm console web
            """,
        subcommands: [
            Create.self, List.self, Show.self, Update.self, ConsoleCommand.self, Log.self,
            Pause.self,
            Resume.self, Start.self, Stop.self, Reset.self, Save.self, Restore.self, Delete.self,
            Recover.self,
        ])
}

/// A VM by name, and where, when a name alone does not say.
struct VMOptions: ParsableArguments {
    @Argument(help: "The VM's name.", completion: .vmNames, transform: { try VMName($0) })
    var name: VMName
    @Option(
        help: ArgumentHelp(
            "Say it to the agent of this host (default: where the VM is).", valueName: "host"),
        completion: .hostNames, transform: { try HostName($0) })
    var on: HostName?
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    /// Calls with the agent that has the VM.
    func withHostAgent(_ body: (AgentClient) async throws -> Void) async throws {
        try await Session.withConnection(to: cluster, reporting: output) { session in
            try await body(session.locateAgent(ofVM: name, on: on))
        }
    }

    /// Calls with the controller when it keeps the VM, else with the agent that has it.
    func withControllerOrAgent(
        ifManaged kept: (ControllerClient, ClusterVM) async throws -> Void,
        else body: (AgentClient) async throws -> Void
    ) async throws {
        try await Session.withConnection(to: cluster, reporting: output) { session in
            if on == nil, let (controller, vm) = try await session.findManagedVM(named: name) {
                try await kept(controller, vm)
            } else if on == nil, session.controller != nil, session.hasOnlyControllers {
                throw CommandFailure(
                    .notFound, code: "vm_not_found",
                    message: "there is no VM \(name) in cluster \(session.cluster.cluster)")
            } else {
                try await body(session.locateAgent(ofVM: name, on: on))
            }
        }
    }

    func requestAction(_ action: VMAction) async throws {
        try await withHostAgent { agent in
            try printVMState(of: try await agent.performAction(action, on: name), output: output)
        }
    }
}

func printVMState(of vm: VMInfo, output: OutputOptions) throws {
    try output.printResult(vm, text: "\(vm.name) is \(vm.state.rawValue) on \(vm.host)")
}

func printVMState(of vm: ClusterVM, output: OutputOptions) throws {
    switch output.output {
    case .json: print(try encodedJSON(of: vm))
    case .text:
        let place = vm.host.map { " on \($0)" } ?? ""
        print("\(vm.name) is \(vm.stateText)\(place)\(vm.reason.map { ": \($0)" } ?? "")")
    }
}

extension VMCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the VMs of all hosts, with their states and reasons.",
            discussion: """
                Example:
                  ferry vm list
                """)
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                if let controller = session.controller {
                    try await printClusterVMs(from: controller)
                } else {
                    try await printAgentVMs(in: session)
                }
            }
        }

        private func printClusterVMs(from controller: ControllerClient) async throws {
            let vms = try await controller.fetchAllVMs()
            if output.output == .json { return print(try encodedJSON(of: Page(items: vms))) }
            print(clusterVMTableText(for: vms))
            for host in try await controller.fetchAllHosts() where !host.unmanagedVMs.isEmpty {
                printErrorLine(
                    "not kept by the cluster, on \(host.name): \(host.unmanagedVMs.map(\.text).joined(separator: ", "))"
                )
            }
        }

        private func printAgentVMs(in session: Session) async throws {
            let (vms, silent) = try await session.client.fetchAllVMs()
            try output.printResult(VMList(vms: vms), text: vmTableText(for: vms))
            for error in silent { printErrorLine("ferry: \(error)") }
            if !silent.isEmpty { throw ExitCode(CommandFailure.Kind.unreachable.rawValue) }
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
            try await vm.withControllerOrAgent { _, kept in
                try vm.output.printResult(kept, text: kept.text)
            } else: { agent in
                let info = try await agent.readVMInfo(named: vm.name)
                try vm.output.printResult(info, text: vmDetailText(for: info))
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
            try await vm.withHostAgent { agent in
                let bytes = try await agent.readConsoleLog(of: vm.name, tailBytes: tail)
                switch vm.output.output {
                case .json:
                    print(try encodedJSON(of: ["log": String(decoding: bytes, as: UTF8.self)]))
                case .text: try StandardStreams.writeBytes(bytes)
                }
            }
        }
    }
}
