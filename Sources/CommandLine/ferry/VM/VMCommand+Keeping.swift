// ferry vm start, stop, update, delete: what a VM's owner wants of it. The controller sees to it where there is one.

import API
import ArgumentParser
import Clients
import Model

/// Whether to wait for what was asked.
struct WaitOptions: ParsableArguments {
    @Flag(help: "With a controller: return when it knows what is wanted, not when it is so.")
    var noWait = false
}

extension VMCommand {
    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Boots a VM that is stopped.",
            discussion: """
                Example:
                  ferry vm start web
                """)
        @OptionGroup var vm: VMOptions
        @OptionGroup var wait: WaitOptions
        func run() async throws { try await vm.want(.running, .start, wait) }
    }

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Cuts a VM's power. Its memory is gone; the VM stays and can be started again.",
            discussion: """
                Example:
                  ferry vm stop web
                """)
        @OptionGroup var vm: VMOptions
        @OptionGroup var wait: WaitOptions
        func run() async throws { try await vm.want(.stopped, .stop, wait) }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a VM for good and forgets it. Files it was saved to stay.",
            discussion: """
                Example:
                  ferry vm delete web
                """)
        @OptionGroup var vm: VMOptions
        @OptionGroup var wait: WaitOptions

        func run() async throws {
            try await vm.withKeeper { controller, _ in
                let deleting = try await controller.delete(vm.name)
                if wait.noWait { return try printVM(deleting, vm.output) }
                try await vm.wait(controller).until(.gone)
                try printDeleted()
            } else: { agent in
                try await agent.delete(vm.name)
                try printDeleted()
            }
        }

        private func printDeleted() throws {
            try vm.output.write(["deleted": vm.name.text], text: "\(vm.name) is deleted")
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes what the cluster keeps of a VM; needs a controller.",
            discussion: """
                What is not named stays. Labels are replaced as a whole. With --revision the change is made only \
                if nobody else has changed the VM since (`ferry vm show` has its revision).

                Example:
                  ferry vm update web --priority 10 --on-failure restart
                  ferry vm update web --no-balance
                """)
        @Argument(help: "The VM's name.", completion: .vmNames, transform: { try VMName($0) })
        var name: VMName
        @Option(
            help: ArgumentHelp(
                "A label that its host must have; may be repeated.", valueName: "label"))
        var label: [String] = []
        @Flag(help: "Its host needs no labels from now on.")
        var noLabels = false
        @Option(help: "Larger is more important.")
        var priority: Int?
        @Flag(inversion: .prefixedNo, help: "Whether balance may move it.")
        var balance: Bool?
        @Option(help: "What becomes of it when it or its host dies: leave or restart.")
        var onFailure: FailurePolicy?
        @Option(help: ArgumentHelp("The revision that the change is made from.", valueName: "n"))
        var revision: UInt64?
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if noLabels, !label.isEmpty { throw ValidationError("--label or --no-labels") }
            let isEmpty =
                label.isEmpty && !noLabels && priority == nil && balance == nil && onFailure == nil
            if isEmpty { throw ValidationError("say what to change") }
        }

        func run() async throws {
            try await Session.with(cluster, reporting: output) { session in
                let controller = try session.neededController(for: "ferry vm update")
                var request = UpdateClusterVM(revision: revision)
                request.labels = noLabels ? [] : label.isEmpty ? nil : label
                request.priority = priority
                request.mayBeBalanced = balance
                request.failurePolicy = onFailure
                try printVM(try await controller.updateVM(named: name, with: request), output)
            }
        }
    }
}

extension VMOptions {
    fileprivate func wait(_ controller: ControllerClient) -> VMWait {
        VMWait(controller: controller, name: name, isQuiet: output.output == .json)
    }

    /// The controller is told what is wanted; an agent is told what to do.
    fileprivate func want(
        _ desired: DesiredState, _ action: VMAction, _ waiting: WaitOptions
    ) async throws {
        try await withKeeper { controller, _ in
            var request = UpdateClusterVM()
            request.desired = desired
            var vm = try await controller.updateVM(named: name, with: request)
            if !waiting.noWait {
                vm =
                    try await wait(controller).until(desired == .running ? .running : .stopped)
                    ?? vm
            }
            try printVM(vm, output)
        } else: { agent in
            try printVM(try await agent.perform(action, on: name), output)
        }
    }
}
