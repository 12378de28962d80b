// Sends commands to agents, many at a time but only so many to one agent, and brings the results back to the cluster.

import API
package import ClusterCore
import Logging
import Model

/// Carries out one command at its agent; never throws: what went wrong is a result.
package protocol CommandExecutor: Sendable {
    func executeCommand(_ command: AgentCommand, inTerm term: Term) async -> CommandResult
}

package actor CommandRunner {
    private struct Order {
        let command: AgentCommand
        let generation: Int
    }

    private let executor: any CommandExecutor
    private var driver: ClusterDriver?
    private var term = Term(0)
    private var generation = 0
    private var waiting: [HostName: [Order]] = [:]
    /// Hosts with waiting commands, whose turn comes one after the other.
    private var turns: [HostName] = []
    private var running: [HostName: Int] = [:]
    private var runningInAll = 0

    package init(executor: any CommandExecutor) { self.executor = executor }

    /// Commands of an earlier value of the cluster that were not sent yet are forgotten: the new one orders anew.
    func beginTerm(generation: Int, inTerm term: Term, driver: ClusterDriver) {
        self.generation = generation
        self.term = term
        self.driver = driver
        waiting = [:]
        turns = []
    }

    func runCommands(_ commands: [AgentCommand], generation: Int) {
        guard generation == self.generation else { return }
        for command in commands {
            if waiting[command.host] == nil { turns.append(command.host) }
            waiting[command.host, default: []].append(
                Order(command: command, generation: generation))
        }
        startWaitingOrders()
    }

    private func startWaitingOrders() {
        var looked = 0
        while runningInAll < Limits.commandsMax, looked < turns.count {
            let host = turns.removeFirst()
            guard running[host, default: 0] < Limits.commandsPerAgentMax,
                let order = waiting[host]?.first
            else {
                turns.append(host)
                looked += 1
                continue
            }
            waiting[host]?.removeFirst()
            if waiting[host]?.isEmpty == true { waiting[host] = nil } else { turns.append(host) }
            looked = 0
            startExecution(of: order)
        }
    }

    private func startExecution(of order: Order) {
        running[order.command.host, default: 0] += 1
        runningInAll += 1
        let term = term
        Task {
            let result = await executor.executeCommand(order.command, inTerm: term)
            await finishExecution(of: order, result: result)
        }
    }

    private func finishExecution(of order: Order, result: CommandResult) async {
        let host = order.command.host
        running[host, default: 1] -= 1
        if running[host] == 0 { running[host] = nil }
        runningInAll -= 1
        startWaitingOrders()
        guard order.generation == generation, let driver else { return }
        let id = order.command.id
        // A driver that does not lead any more has no use for it: whoever leads next asks again.
        _ = try? await driver.runOnCluster(isOwn: true) { cluster, context in
            cluster.finishCommand(withID: id, result: result, in: &context)
        }
    }
}
