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
        try await Session.with(cluster, reporting: output) { session in
            let controller = try session.neededController(for: "ferry drain")
            if cancel { return try printHost(try await controller.endDrain(of: host), output) }
            let request = DrainHost(parallel: parallel)
            if plan { return try show(try await controller.planDrain(of: host, with: request)) }
            let started = try await controller.drainHost(named: host, with: request)
            let follower = OperationFollower(controller, output)
            if noWait { return try follower.printStarted(started) }
            try await follower.finish(started)
        }
    }

    private func show(_ plan: PlanInfo) throws {
        try output.write(plan, text: plan.text(nothing: "there is nothing to move from \(host)"))
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
        try await Session.with(cluster, reporting: output) { session in
            let controller = try session.neededController(for: "ferry activate")
            switch try await controller.activateHost(named: host, bringBack: bringBack) {
            case .host(let host): try printHost(host, output)
            case .bringingBack(let started):
                let follower = OperationFollower(controller, output)
                if noWait { return try follower.printStarted(started) }
                try await follower.finish(started)
            }
        }
    }
}

func printHost(_ host: ClusterHost, _ output: OutputOptions) throws {
    try output.write(
        host, text: "\(host.name) is \(host.stateText)\(host.reason.map { ": \($0)" } ?? "")")
}
