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
        func run() async throws {
            try await vm.setDesiredState(to: .running, action: .start, waiting: wait)
        }
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
        func run() async throws {
            try await vm.setDesiredState(to: .stopped, action: .stop, waiting: wait)
        }
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
            try await vm.withControllerOrAgent { controller, _ in
                let deleting = try await controller.deleteVM(named: vm.name)
                if wait.noWait { return try printVMState(of: deleting, output: vm.output) }
                try await vm.makeStateWait(using: controller).waitForGoal(.gone)
                try printDeleted()
            } else: { agent in
                try await agent.deleteVM(named: vm.name)
                try printDeleted()
            }
        }

        private func printDeleted() throws {
            try vm.output.printResult(["deleted": vm.name.text], text: "\(vm.name) is deleted")
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
            try await Session.withConnection(to: cluster, reporting: output) { session in
                let controller = try session.requireController(for: "ferry vm update")
                var request = UpdateClusterVM(revision: revision)
                request.labels = noLabels ? [] : label.isEmpty ? nil : label
                request.priority = priority
                request.mayBeBalanced = balance
                request.failurePolicy = onFailure
                try printVMState(
                    of: try await controller.updateVM(named: name, with: request), output: output)
            }
        }
    }
}

extension VMOptions {
    fileprivate func makeStateWait(using controller: ControllerClient) -> VMWait {
        VMWait(controller: controller, name: name, isQuiet: output.output == .json)
    }

    /// The controller is told what is wanted; an agent is told what to do.
    fileprivate func setDesiredState(
        to desired: DesiredState, action: VMAction, waiting: WaitOptions
    ) async throws {
        try await withControllerOrAgent { controller, _ in
            var request = UpdateClusterVM()
            request.desired = desired
            var vm = try await controller.updateVM(named: name, with: request)
            if !waiting.noWait {
                vm =
                    try await makeStateWait(using: controller).waitForGoal(
                        desired == .running ? .running : .stopped)
                    ?? vm
            }
            try printVMState(of: vm, output: output)
        } else: { agent in
            try printVMState(of: try await agent.performAction(action, on: name), output: output)
        }
    }
}
