// ferry drain: empties a host of its VMs, or shows how it would.

import API
import ArgumentParser
import Clients
import ClusterText
import Model

struct Drain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Moves all VMs away from a host; needs a controller.",
        discussion: """
            From now on the host takes no VMs; when it is empty it is in maintenance, until `ferry activate`. \
            --plan shows the moves with what each will take, and changes nothing. Ctrl-C leaves the drain \
            running; --cancel ends it, and the host is active again. Exit code 10: something cannot leave, and \
            is named with the reason.

            Example:
              ferry drain host-a --plan
              ferry drain host-a --parallel 2
              ferry drain host-a --cancel
            """)

    @Argument(help: "The host.", completion: .hostNames, transform: { try HostName($0) })
    var host: HostName
    @Flag(help: "Show what would be done.")
    var plan = false
    @Option(help: ArgumentHelp("At most so many moves at once.", valueName: "n"))
    var parallel: Int?
    @Flag(help: "Start it and return.")
    var noWait = false
    @Flag(help: "End the drain; the host takes VMs again.")
    var cancel = false
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if cancel, plan || noWait || parallel != nil {
            throw ValidationError("--cancel stands alone")
        }
        if plan, noWait {
            throw ValidationError("--plan starts nothing that --no-wait could leave")
        }
        if let parallel, parallel < 1 { throw ValidationError("--parallel must be 1 or more") }
    }

    func run() async throws {
        try await Session.withConnection(to: cluster, reporting: output) { session in
            let controller = try session.requireController(for: "ferry drain")
            if cancel {
                return try printHostState(
                    of: try await controller.endHostDrain(of: host), output: output)
            }
            let request = DrainHost(parallel: parallel)
            if plan {
                return try printDrainPlan(try await controller.planDrain(of: host, with: request))
            }
            let started = try await controller.drainHost(named: host, with: request)
            let follower = OperationFollower(using: controller, output: output)
            if noWait { return try follower.announceStart(of: started) }
            try await follower.awaitCompletion(of: started)
        }
    }

    private func printDrainPlan(_ plan: PlanInfo) throws {
        try output.printResult(
            plan, text: plan.summaryText(ifEmpty: "there is nothing to move from \(host)"))
        if !plan.left.isEmpty {
            throw ExitCode(CommandFailure.Kind.somethingIsLeft.rawValue)
        }
    }
}

struct Activate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lets a host take VMs again, and brings its VMs back; needs a controller.",
        discussion: """
            Example:
              ferry activate host-a --bring-back
            """)

    @Argument(help: "The host.", completion: .hostNames, transform: { try HostName($0) })
    var host: HostName
    @Flag(help: "Move back what a drain took from it.")
    var bringBack = false
    @Flag(help: "With --bring-back: start it and return.")
    var noWait = false
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await Session.withConnection(to: cluster, reporting: output) { session in
            let controller = try session.requireController(for: "ferry activate")
            switch try await controller.activateHost(named: host, bringBack: bringBack) {
            case .host(let host): try printHostState(of: host, output: output)
            case .bringingBack(let started):
                let follower = OperationFollower(using: controller, output: output)
                if noWait { return try follower.announceStart(of: started) }
                try await follower.awaitCompletion(of: started)
            }
        }
    }
}

func printHostState(of host: ClusterHost, output: OutputOptions) throws {
    try output.printResult(
        host, text: "\(host.name) is \(host.stateText)\(host.reason.map { ": \($0)" } ?? "")")
}
