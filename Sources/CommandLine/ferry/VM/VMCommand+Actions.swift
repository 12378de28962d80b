// ferry vm pause, resume, reset, save, restore: always a word to an agent.

import API
import ClusterText
import ArgumentParser
import Clients
import Model

extension VMCommand {
    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stops a VM's vCPUs; it keeps its memory.",
            discussion: """
                Example:
                  ferry vm pause web
                """)
        @OptionGroup var vm: VMOptions
        func run() async throws { try await vm.requestAction(.pause) }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets a paused VM run on.",
            discussion: """
                Example:
                  ferry vm resume web
                """)
        @OptionGroup var vm: VMOptions
        func run() async throws { try await vm.requestAction(.resume) }
    }

    struct Reset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Resets a VM as its reset button would; it boots its kernel again.",
            discussion: """
                Example:
                  ferry vm reset web
                """)
        @OptionGroup var vm: VMOptions
        func run() async throws { try await vm.requestAction(.reset) }
    }

    struct Save: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Saves a VM's memory and state to a file.",
            discussion: """
                A running VM stands still while its memory is written, and runs on afterwards. Nothing is ever \
                overwritten. Example:
                  ferry vm save web --to /var/tmp/web.ferry
                """)
        @Option(
            help: ArgumentHelp(
                "Absolute path on the VM's host (default: NAME.ferry in the agent's folder).",
                valueName: "file"))
        var to: String?
        @OptionGroup var vm: VMOptions

        func run() async throws {
            try await vm.withHostAgent { agent in
                let saved = try await agent.saveVMToFile(named: vm.name, with: SaveVM(path: to))
                try vm.output.printResult(
                    saved,
                    text:
                        "\(vm.name) saved to \(saved.path) on \(agent.name), \(byteCountText(for: saved.bytes))"
                )
            }
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a new VM from a saved one.",
            discussion: """
                The new VM has an identity of its own, and may have another name. No controller keeps it. \
                Example:
                  ferry vm restore web2 --from /var/tmp/web.ferry --on host-a
                """)
        @Argument(help: "The VM's name from now on.", transform: { try VMName($0) })
        var name: VMName
        @Option(
            help: ArgumentHelp(
                "Absolute path on the host (default: NAME.ferry in the agent's folder).",
                valueName: "file"))
        var from: String?
        @Option(
            help: ArgumentHelp("The host.", valueName: "host"), completion: .hostNames,
            transform: { try HostName($0) })
        var on: HostName
        @Flag(help: "Do not let it run yet.")
        var paused = false
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                let request = RestoreVM(path: from, name: name, paused: paused)
                try printVMState(
                    of: try await session.requireAgent(on: on).restoreVM(with: request),
                    output: output)
            }
        }
    }
}
